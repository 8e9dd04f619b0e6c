//! The OpenAPI document: generated from the routes and types, never written by hand.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Playhead", description = "Sessions, time lines and recordings of a Playhead installation."),
    modifiers(&Security),
    security(("bearer" = []), ("cookie" = [])),
    tags(
        (name = "access", description = "Signing in and out."),
        (name = "projects", description = "Projects, their settings and keys, and what they take in."),
        (name = "sessions", description = "Sessions, their time lines, and erasing."),
        (name = "issues", description = "Errors that are one mistake, and what people do with them."),
        (name = "alerts", description = "Rules that tell people, what they fired, who was told, and where it goes."),
        (name = "jira", description = "Jira issues of issues: creating them, and keeping both alike."),
        (name = "performance", description = "How long requests and page loads take, by endpoint and page."),
        (name = "source maps", description = "Maps from bundles to the sources that they were built from."),
        (name = "replay", description = "Recordings."),
    )
)]
pub(crate) struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A project's secret key (`phs_…`), or the administrator's token."))
            .build();
        let cookie = ApiKeyValue::with_description(
            crate::access::sign_in::COOKIE,
            "Set by signing in. Changes also need the header `x-playhead-csrf: 1` and an origin of this installation.",
        );
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document as JSON, pretty, with a line break at the end.
///
/// # Errors
/// When it cannot be written, which no input causes.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let (_, document) = crate::routes().split_for_parts();
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
