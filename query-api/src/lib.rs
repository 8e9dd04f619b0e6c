//! The read side: projects, sessions, time lines and recordings over HTTP, and erasing them.
//!
//! Deliberately absent: taking batches in (see `gateway`), turning them into rows (see `stream-processor`), static files
//! and the choice of back ends (see `playhead`). A row is only reached through a [`playhead_domain::scope::Scope`], which
//! exists only after a credential was checked.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic"))]

pub mod access;
pub mod alert;
pub mod channel;
pub mod config;
pub mod error;
pub mod jira;
pub mod model;
pub mod openapi;
pub mod project;
pub mod replay;
pub mod state;

mod body;
mod cursor;
mod issue;
mod metrics;
mod outbound;
mod page;
mod params;
mod performance;
mod random;
mod sealed;
mod session;
mod source_map;
mod turn;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use config::Config;
pub use error::ApiError;
pub use openapi::openapi_json;
pub use state::{Api, Clock, Parts, StartError, system_clock};

/// The routes under `/api`.
pub fn router(api: Api) -> Router {
    let (router, document) = routes().split_for_parts();
    let document = serde_json::to_vec(&document).unwrap_or_default();
    let document = bytes::Bytes::from(document);
    router
        .route("/api/openapi.json", get(move || async move { json(document) }))
        .route("/api/{*rest}", axum::routing::any(|| async { ApiError::NoRoute }))
        .method_not_allowed_fallback(|| async { ApiError::WrongMethod })
        .layer(axum::middleware::from_fn_with_state(api.clone(), metrics::observe))
        .layer(DefaultBodyLimit::max(body::MAX_BODY_BYTES))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::VARY,
            HeaderValue::from_static("Authorization, Cookie"),
        ))
        .layer(CompressionLayer::new().gzip(true).zstd(true).quality(CompressionLevel::Fastest))
        .with_state(api)
}

fn json(document: bytes::Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(access::routes::sign_in))
        .routes(routes!(access::routes::sign_out))
        .routes(routes!(access::routes::me))
        .routes(routes!(project::routes::list_projects, project::routes::create_project))
        .routes(routes!(project::routes::get_project, project::routes::change_project))
        .routes(routes!(project::secret_key::list_secret_keys, project::secret_key::create_secret_key))
        .routes(routes!(project::secret_key::revoke_secret_key))
        .routes(routes!(project::intake::project_status))
        .routes(routes!(project::dead_letters::list_dead_letters))
        .routes(routes!(project::dead_letters::replay_dead_letter))
        .routes(routes!(session::routes::list_sessions))
        .routes(routes!(session::routes::get_session, session::erase::erase_session))
        .routes(routes!(session::erase::erase_user))
        .routes(routes!(session::events::list_events))
        .routes(routes!(issue::routes::list_issues))
        .routes(routes!(issue::routes::change_issues))
        .routes(routes!(issue::merge::merge_issues))
        .routes(routes!(issue::merge::split_issue))
        .routes(routes!(issue::discard::discard_issues))
        .routes(routes!(issue::discard::list_discarded_issues))
        .routes(routes!(issue::discard::restore_issue))
        .routes(routes!(issue::dry_run::try_grouping_rules))
        .routes(routes!(issue::routes::get_issue, issue::routes::change_issue))
        .routes(routes!(alert::routes::list_rules, alert::routes::create_rule))
        .routes(routes!(alert::routes::get_rule, alert::routes::replace_rule, alert::routes::delete_rule))
        .routes(routes!(alert::routes::preview_rule))
        .routes(routes!(alert::routes::get_settings, alert::routes::replace_settings))
        .routes(routes!(alert::firing::list_firings))
        .routes(routes!(alert::firing::change_firing))
        .routes(routes!(alert::firing::list_deliveries))
        .routes(routes!(channel::routes::list_channels, channel::routes::create_channel))
        .routes(routes!(channel::routes::change_channel, channel::routes::delete_channel))
        .routes(routes!(channel::routes::test_channel))
        .routes(routes!(jira::routes::get_jira, jira::routes::save_jira, jira::routes::delete_jira))
        .routes(routes!(jira::routes::test_jira))
        .routes(routes!(jira::routes::renew_jira_hook))
        .routes(routes!(jira::routes::list_jira_projects))
        .routes(routes!(jira::routes::list_jira_types))
        .routes(routes!(jira::routes::list_jira_fields))
        .routes(routes!(jira::routes::list_jira_users))
        .routes(routes!(jira::hook::receive_jira_hook))
        .routes(routes!(
            jira::issue_routes::get_jira_issue,
            jira::issue_routes::create_jira_issue,
            jira::issue_routes::unlink_jira_issue
        ))
        .routes(routes!(jira::issue_routes::refresh_jira_issue))
        .routes(routes!(performance::routes::list_endpoints))
        .routes(routes!(performance::routes::get_endpoint))
        .routes(routes!(performance::routes::list_pages))
        .routes(routes!(session::stack::get_stack))
        .routes(routes!(
            source_map::routes::list_source_maps,
            source_map::routes::upload_source_map,
            source_map::routes::delete_source_maps
        ))
        .routes(routes!(source_map::routes::delete_source_map))
        .routes(routes!(replay::manifest::get_manifest))
        .routes(routes!(replay::segment::get_segment))
}
