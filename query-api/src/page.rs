//! Addresses of the dashboard's pages, as whoever is told of something opens them.

use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::scope::Scope;

use crate::state::Api;

/// What all pages of a project are below.
pub(crate) fn project(api: &Api, scope: Scope) -> String {
    format!("{}/p/{}", api.0.public_url, scope.project())
}

pub(crate) fn issue(api: &Api, scope: Scope, issue: Fingerprint) -> String {
    format!("{}/issues/{issue}", project(api, scope))
}

/// A recording that begins ten seconds before the issue's error, or request, beside the pane that lists it.
pub(crate) fn replay(
    api: &Api,
    scope: Scope,
    session: impl std::fmt::Display,
    pane: &str,
    issue: Fingerprint,
) -> String {
    format!("{}/sessions/{session}?pane={pane}&issue={issue}", project(api, scope))
}
