//! Which sessions a list shows.

use playhead_domain::id::SessionId;
use playhead_domain::row::SessionSummary;
use playhead_domain::session::facet;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::error::ApiError;

const MAX_TEXT_BYTES: usize = 2_048;

/// Filters of a list; all that are given must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionParams {
    /// Sessions that began at or after this moment: milliseconds of the Unix epoch.
    pub(crate) from: Option<i64>,
    /// Sessions that began before this moment.
    pub(crate) to: Option<i64>,
    pub(crate) min_duration_ms: Option<i64>,
    pub(crate) max_duration_ms: Option<i64>,
    pub(crate) has_errors: Option<bool>,
    pub(crate) has_failed_requests: Option<bool>,
    /// Name of the browser, in any case.
    pub(crate) browser: Option<String>,
    /// Name of the operating system, in any case.
    pub(crate) os: Option<String>,
    /// ISO 3166-1 alpha-2, in any case.
    pub(crate) country: Option<String>,
    pub(crate) release: Option<String>,
    /// A path (`/cart`) or a whole URL without query and fragment, exactly; with `*` in it a pattern.
    pub(crate) page: Option<String>,
    /// The user's id, exactly, or e-mail address, in any case.
    pub(crate) user: Option<String>,
    pub(crate) ip: Option<String>,
    /// An issue that an error of the session belongs to: 32 hexadecimal digits. Those that were merged into it count too.
    pub(crate) issue: Option<String>,
    /// Name of a custom event, exactly.
    pub(crate) custom_event: Option<String>,
    /// Text in the user's id or e-mail address, in a page, or at the start of the session's id.
    pub(crate) q: Option<String>,
    pub(crate) session_id: Option<String>,
    /// `-started_at` (newest first, unless given) or `started_at`.
    pub(crate) sort: Option<String>,
    /// 1 to 200, 50 unless given.
    pub(crate) limit: Option<usize>,
    /// `next` of the page before, with the same filters.
    pub(crate) cursor: Option<String>,
    /// `issue` with those that were merged into it; found out by the server.
    #[serde(skip)]
    pub(crate) issues: Vec<String>,
}

impl SessionParams {
    /// # Errors
    /// [`ApiError::BadRequest`] that names the parameter.
    pub(crate) fn validate(&self) -> Result<(), ApiError> {
        let texts: [(&'static str, &Option<String>); 12] = [
            ("browser", &self.browser),
            ("os", &self.os),
            ("country", &self.country),
            ("release", &self.release),
            ("page", &self.page),
            ("user", &self.user),
            ("ip", &self.ip),
            ("issue", &self.issue),
            ("custom_event", &self.custom_event),
            ("q", &self.q),
            ("session_id", &self.session_id),
            ("sort", &self.sort),
        ];
        if let Some((field, _)) =
            texts.iter().find(|(_, text)| text.as_ref().is_some_and(|t| t.len() > MAX_TEXT_BYTES))
        {
            return Err(ApiError::bad(field, format!("longer than {MAX_TEXT_BYTES} bytes")));
        }
        if !matches!(self.sort.as_deref(), None | Some("-started_at" | "started_at")) {
            return Err(ApiError::bad("sort", "must be -started_at or started_at"));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(ApiError::bad("from", "must not be after `to`"));
        }
        if let Some(id) = &self.session_id {
            id.parse::<SessionId>().map_err(|e| ApiError::bad("session_id", e.to_string()))?;
        }
        Ok(())
    }

    /// Oldest first.
    pub(crate) fn is_ascending(&self) -> bool {
        self.sort.as_deref() == Some("started_at")
    }

    /// Whether a session is one of those asked for. The start is the one under which lists know it.
    pub(crate) fn matches(&self, session: &SessionSummary) -> bool {
        self.matches_times(session)
            && self.matches_counts(session)
            && self.matches_client(session)
            && self.matches_text(session)
    }

    fn matches_times(&self, session: &SessionSummary) -> bool {
        let duration_ms = (session.end_ms - session.start_ms).max(0);
        self.from.is_none_or(|from| session.list_start_ms >= from)
            && self.to.is_none_or(|to| session.list_start_ms < to)
            && self.min_duration_ms.is_none_or(|least| duration_ms >= least)
            && self.max_duration_ms.is_none_or(|most| duration_ms <= most)
    }

    fn matches_counts(&self, session: &SessionSummary) -> bool {
        let counts = session.counts.unwrap_or_default();
        self.has_errors.is_none_or(|wanted| (counts.errors > 0) == wanted)
            && self.has_failed_requests.is_none_or(|wanted| (counts.failed_requests > 0) == wanted)
    }

    fn matches_client(&self, session: &SessionSummary) -> bool {
        let empty = playhead_domain::row::Client::default();
        let client = session.client.as_ref().unwrap_or(&empty);
        let same =
            |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|w| w.eq_ignore_ascii_case(is));
        same(&self.browser, &client.browser)
            && same(&self.os, &client.os)
            && same(&self.country, &client.country)
            && self.ip.as_ref().is_none_or(|ip| *ip == client.ip)
    }

    fn has_issue(&self, issue: &String, session: &SessionSummary) -> bool {
        session.issues.contains(issue) || session.issues.iter().any(|issue| self.issues.contains(issue))
    }

    fn matches_text(&self, session: &SessionSummary) -> bool {
        let (id, email) = session.user.as_ref().map_or(("", ""), |user| (&user.id, &user.email));
        self.release.as_ref().is_none_or(|release| *release == session.release)
            && self.user.as_ref().is_none_or(|user| is_user(user, id) || is_user(user, email))
            && self.issue.as_ref().is_none_or(|issue| self.has_issue(issue, session))
            && self.custom_event.as_ref().is_none_or(|name| session.custom_event_names.contains(name))
            && self.page.as_ref().is_none_or(|page| session.pages.iter().any(|url| is_page(page, url)))
            && self.q.as_ref().is_none_or(|q| matches_query(q, session, id, email))
    }
}

fn is_user(wanted: &str, name: &str) -> bool {
    !name.is_empty() && facet::user_name(wanted) == facet::user_name(name)
}

fn matches_query(q: &str, session: &SessionSummary, id: &str, email: &str) -> bool {
    let q = q.trim().to_lowercase();
    let session_id =
        crate::session::rows::session_id(&session.session).map(|id| id.to_string()).unwrap_or_default();
    q.is_empty()
        || session_id.starts_with(&q)
        || [id, email, session.exit_page.as_str()].iter().any(|text| text.to_lowercase().contains(&q))
        || session.pages.iter().any(|page| page.to_lowercase().contains(&q))
}

/// Whether `url` is the page that `wanted` names: its path, the whole, or a pattern with `*`.
fn is_page(wanted: &str, url: &str) -> bool {
    let path = path_of(url);
    if wanted.contains('*') {
        return matches_pattern(wanted, url) || matches_pattern(wanted, path);
    }
    wanted == url || wanted == path
}

/// The path of a URL without query and fragment.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// `*` stands for any text. Linear in the product of the lengths, which are bounded.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_path_its_url_or_a_pattern() {
        let url = "https://shop.example/products/7";
        for wanted in ["/products/7", url, "*products*", "/products/*", "*/7", "https://*/7", "*"] {
            assert!(is_page(wanted, url), "{wanted}");
        }
        for wanted in ["/products", "products", "*8", "/a*", "https://shop.example/"] {
            assert!(!is_page(wanted, url), "{wanted}");
        }
        assert!(is_page("/", "https://shop.example"));
    }

    #[test]
    fn parameters_are_checked() {
        let bad = |params: SessionParams| params.validate().is_err();
        assert!(bad(SessionParams { sort: Some("duration".to_owned()), ..SessionParams::default() }));
        assert!(bad(SessionParams { session_id: Some("x".to_owned()), ..SessionParams::default() }));
        assert!(bad(SessionParams { from: Some(2), to: Some(1), ..SessionParams::default() }));
        assert!(bad(SessionParams { q: Some("x".repeat(3_000)), ..SessionParams::default() }));
        assert!(!bad(SessionParams::default()));
    }
}
