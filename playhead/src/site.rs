//! Static files: the dashboard, the stage in which recordings play, and the SDK.

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use playhead_query_api::Api;
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

#[derive(RustEmbed)]
#[folder = "../dashboard/dist"]
#[allow_missing = true]
struct Dashboard;

#[derive(RustEmbed)]
#[folder = "../sdk/dist"]
#[allow_missing = true]
struct Sdk;

/// The dashboard: nothing from elsewhere, and nobody frames it. Styles inline, as measured lists set them.
const DASHBOARD_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// How long a browser may keep a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caching {
    /// Its name changes with its content.
    Forever,
    /// Asked for anew each time; a known one is not sent again.
    Revalidate,
    /// The same, but not asked for within some minutes.
    Minutes,
    Never,
}

impl Caching {
    const fn header(self) -> &'static str {
        match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Revalidate => "no-cache",
            Self::Minutes => "public, max-age=300, stale-while-revalidate=86400",
            Self::Never => "no-store",
        }
    }
}

/// The routes of all static files; what is no file is an address within the dashboard.
pub(crate) fn router(api: Api) -> Router {
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    let security = ServiceBuilder::new()
        .layer(CompressionLayer::new().gzip(true).zstd(true))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"));
    Router::new()
        .route("/stage", get(stage))
        .route("/sdk/{*path}", get(sdk))
        .route("/assets/{*path}", get(asset))
        .fallback(get(dashboard))
        .layer(security)
        .with_state(api)
}

/// The SDK's script alone.
pub(crate) fn sdk_router() -> Router {
    let security = ServiceBuilder::new().layer(CompressionLayer::new().gzip(true).zstd(true)).layer(
        SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    );
    Router::new().route("/sdk/{*path}", get(sdk)).layer(security)
}

/// The inline stub that the SDK's build wrote, with `__ORIGIN__` and `__KEY__` to fill in.
pub(crate) fn script_stub() -> String {
    Sdk::get("stub.txt").map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

/// A file as an answer, with a tag by which a browser can ask whether it changed.
pub(crate) fn file(path: &str, file: EmbeddedFile, caching: Caching) -> Response {
    let tag: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching.header()));
    if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{tag}\"")) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// 304 for a browser that has this very file.
fn unless_known(request: &HeaderMap, response: Response) -> Response {
    let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let tag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok());
    let same = match (known, tag) {
        (Some(known), Some(tag)) => known.split(',').any(|known| known.trim() == tag),
        _ => false,
    };
    if !same {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    Response::from_parts(parts, axum::body::Body::empty())
}

async fn sdk(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let mut response = match Sdk::get(&format!("script/{path}")) {
        Some(found) => unless_known(&headers, file(&path, found, Caching::Minutes)),
        None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
    };
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (HeaderName::from_static("timing-allow-origin"), "*"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let path = format!("assets/{path}");
    match Dashboard::get(&path) {
        Some(found) => unless_known(&headers, file(&path, found, Caching::Forever)),
        None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
    }
}

async fn dashboard(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let found = Dashboard::get(path).filter(|_| path != "index.html" && path != "stage.html");
    let mut response = match found {
        Some(found) => unless_known(request.headers(), file(path, found, Caching::Revalidate)),
        None => page("index.html"),
    };
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DASHBOARD_POLICY));
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

fn page(name: &str) -> Response {
    match Dashboard::get(name) {
        Some(found) => file(name, found, Caching::Revalidate),
        None => {
            let message = "The dashboard is not in this build: run `make build`.\n";
            (StatusCode::NOT_FOUND, message).into_response()
        }
    }
}

#[derive(Debug, Deserialize)]
struct StageParams {
    project: Option<String>,
}

/// The document in which recordings play. Its policy lets nothing run but the player and nothing load but images of the hosts that
/// the project allows.
async fn stage(State(api): State<Api>, Query(params): Query<StageParams>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let hosts = match &params.project {
        Some(project) => api.image_hosts(&mut parts, project).await,
        None => Vec::new(),
    };
    let mut response = page("stage.html");
    let headers = response.headers_mut();
    // The policy differs by project and by who asks.
    headers.remove(header::ETAG);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match HeaderValue::from_str(&stage_policy(&hosts)) {
        Ok(policy) => headers.insert(header::CONTENT_SECURITY_POLICY, policy),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    response
}

fn stage_policy(image_hosts: &[String]) -> String {
    let images: String =
        image_hosts.iter().filter(|host| is_plain(host)).map(|host| format!(" {host}")).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:{images}; \
         font-src data:; media-src 'none'; connect-src 'none'; frame-src 'none'; object-src 'none'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'self'"
    )
}

/// Hosts are checked where they are set; here again, since one that breaks out would undo the policy.
fn is_plain(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'/' | b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_break_out_of_the_policy() {
        let hosts =
            ["images.shop.example".to_owned(), "x; script-src *".to_owned(), "'unsafe-inline'".to_owned()];
        let policy = stage_policy(&hosts);
        assert!(policy.contains("img-src data: blob: images.shop.example;"), "{policy}");
        assert_eq!(policy.matches("script-src").count(), 1);
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let response = (StatusCode::OK, [(header::ETAG, "W/\"a\"")], "body").into_response();
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"x\", W/\"a\""));
        assert_eq!(unless_known(&headers, response).status(), StatusCode::NOT_MODIFIED);
    }
}
