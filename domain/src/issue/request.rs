//! Failed requests as issues, when a project wants them: grouped by method, template of the path, status, and the host unless it is
//! the page's own, whoever sent them.

use super::filter::Filters;
use super::grouping::{Group, of_request};
use crate::endpoint;

/// Which failed requests are issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Requests {
    #[default]
    None,
    /// Statuses from 500 on, and those that got no answer.
    Server,
    /// Statuses from 400 on too.
    All,
}

impl Requests {
    pub const ALL: [Self; 3] = [Self::None, Self::Server, Self::All];

    /// As it is stored and set.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Server => "server",
            Self::All => "all",
        }
    }

    /// What is no name is none.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::ALL.into_iter().find(|requests| requests.name() == name).unwrap_or_default()
    }
}

/// A request as the page told it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// 0: there was no answer.
    pub status: u32,
    /// `ok`, `http_error`, `network_error`, `timeout` or `aborted`.
    pub outcome: &'a str,
    pub page_url: &'a str,
}

/// What is known of a failed request that is an issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    pub group: Group,
    pub title: String,
    /// On which page.
    pub culprit: String,
    pub filtered: Option<super::filter::Filter>,
}

const MAX_METHOD_BYTES: usize = 16;

/// Looks at a request; nothing when it is not one of those that are issues.
#[must_use]
pub fn examine(sent: &Sent<'_>, wanted: Requests, filters: Filters, is_bot: bool) -> Option<Failed> {
    let failure = failure(sent)?;
    let is_wanted = match wanted {
        Requests::None => false,
        Requests::Server => sent.status == 0 || sent.status >= 500,
        Requests::All => true,
    };
    if !is_wanted {
        return None;
    }
    let method = crate::session::fold::cut(sent.method, MAX_METHOD_BYTES).to_uppercase();
    let template = endpoint::template(sent.url);
    let host = super::origin::parts(sent.url).0.to_lowercase();
    let own = super::origin::parts(sent.page_url).0;
    let is_other = !host.is_empty() && !own.is_empty() && !host.eq_ignore_ascii_case(own);
    let named = if is_other { host.as_str() } else { "" };
    let words = match sent.status {
        0 => failure.replace('_', " "),
        status => format!("answered {status}"),
    };
    Some(Failed {
        title: super::title("", &format!("{method} {named}{template}: {words}")),
        culprit: super::culprit(
            &super::Thrown { page_url: sent.page_url, ..Default::default() },
            &Default::default(),
        ),
        group: of_request(&method, &template, &failure, (&host, is_other)),
        filtered: filters.drop_of_page(sent.page_url, is_bot),
    })
}

/// The status, or how it failed without one.
fn failure(sent: &Sent<'_>) -> Option<String> {
    match (sent.outcome, sent.status) {
        ("aborted", _) => None,
        (_, 400..) => Some(sent.status.to_string()),
        ("network_error" | "timeout", 0) => Some(sent.outcome.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: &'static str, url: &'static str, status: u32) -> Sent<'static> {
        let outcome = if status == 0 { "network_error" } else { "http_error" };
        Sent { method, url, status, outcome, page_url: "https://shop.example/cart" }
    }

    fn look(sent: &Sent<'_>, wanted: Requests) -> Option<Failed> {
        examine(sent, wanted, Filters::default(), false)
    }

    #[test]
    fn those_to_one_endpoint_with_one_status_are_together() {
        let issue = |sent: Sent<'_>| look(&sent, Requests::All).unwrap().group.fingerprint;
        let one = issue(sent("post", "https://api.example/orders/8812/pay?x=1", 502));
        assert_eq!(one, issue(sent("POST", "https://API.example:8443/orders/17/pay", 502)));
        assert_ne!(one, issue(sent("POST", "https://api.example/orders/8812/pay", 500)));
        assert_ne!(one, issue(sent("PUT", "https://api.example/orders/8812/pay", 502)));
        assert_ne!(one, issue(sent("POST", "https://api.example/orders/8812/pay", 0)));
        let failed = look(&sent("POST", "https://api.example/orders/8812/pay", 502), Requests::All).unwrap();
        assert_eq!(
            (failed.title.as_str(), failed.culprit.as_str()),
            ("POST api.example/orders/{id}/pay: answered 502", "/cart")
        );
    }

    #[test]
    fn a_host_counts_unless_it_is_the_pages_own() {
        let look = |url, page_url| look(&Sent { page_url, ..sent("GET", url, 0) }, Requests::Server).unwrap();
        let own = look("https://shop.example/", "https://shop.example/cart");
        let staging = look("https://staging.example/", "https://Staging.example/");
        let relative = look("/", "https://shop.example/cart");
        assert_eq!(own.title, "GET /: network error");
        assert_eq!(
            [staging.group.fingerprint, relative.group.fingerprint],
            [own.group.fingerprint; 2],
            "each environment has its own"
        );
        let tracker = look("https://tracker.example/", "https://shop.example/cart");
        assert_eq!(tracker.title, "GET tracker.example/: network error");
        let other = look("https://ads.example/", "https://shop.example/cart");
        assert_ne!(tracker.group.fingerprint, own.group.fingerprint);
        assert_ne!(tracker.group.fingerprint, other.group.fingerprint);
        // Where the visitor is is not known: nobody can tell.
        assert_eq!(look("https://tracker.example/", "").group.fingerprint, own.group.fingerprint);
    }

    #[test]
    fn only_what_the_project_wants_is_an_issue() {
        let is_issue = |status, wanted| look(&sent("GET", "/x", status), wanted).is_some();
        let wanted = |wanted| [0, 404, 500].map(|status| is_issue(status, wanted));
        assert_eq!(wanted(Requests::None), [false; 3]);
        assert_eq!(wanted(Requests::Server), [true, false, true]);
        assert_eq!(wanted(Requests::All), [true; 3]);
        assert!(!is_issue(200, Requests::All));
        let aborted = Sent { outcome: "aborted", ..sent("GET", "/x", 0) };
        assert_eq!(look(&aborted, Requests::All), None);
        let local = Sent { page_url: "http://localhost:3000/", ..sent("GET", "/x", 500) };
        assert!(look(&local, Requests::All).unwrap().filtered.is_some());
    }
}
