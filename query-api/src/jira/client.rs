//! One request to a site, and what its answer means.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::failure::Failure;
use super::settings::{Kind, Settings};
use crate::channel::text;
use crate::outbound::{self, Answer, Outbound, Request};

/// Of an answer: create metadata with its options is the longest.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// So much of what Jira said is shown.
const SHOWN: usize = 300;
/// How long to wait where Jira does not say it.
const DEFAULT_WAIT_S: u64 = 60;

/// A site with its credentials.
pub(crate) struct Client<'a> {
    pub(crate) outbound: &'a Outbound,
    pub(crate) settings: &'a Settings,
}

impl Client<'_> {
    pub(crate) const fn is_cloud(&self) -> bool {
        matches!(self.settings.kind, Kind::Cloud)
    }

    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.call(Method::GET, path, query, None).await
    }

    pub(crate) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(Method::PUT, path, &[], Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let url = self.address(path, query)?;
        let headers = vec![
            ("authorization", self.authorization()),
            ("accept", "application/json".to_owned()),
            // What Data Center asks of clients that are no browsers.
            ("x-atlassian-token", "no-check".to_owned()),
        ];
        let is_read = method == Method::GET;
        let body = body.map(|body| body.to_string().into_bytes());
        let request = Request { method, url: url.as_str(), headers, body, most_bytes: MAX_ANSWER_BYTES };
        match self.outbound.fetch(request).await {
            Ok(answer) => read(&answer, is_read),
            Err(error) => Err(unsent(&error, is_read)),
        }
    }

    /// Each part of the path is one segment, whatever is in it.
    fn address(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        let version = if self.is_cloud() { "3" } else { "2" };
        let unreachable = |said: &str| Failure::Unreachable { said: said.to_owned(), was_sent: false };
        let mut url = Url::parse(&self.settings.site).map_err(|error| unreachable(&error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| unreachable("the address has no path"))?
            .pop_if_empty()
            .extend(["rest", "api", version])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn authorization(&self) -> String {
        let Settings { kind, email, token, .. } = self.settings;
        match kind {
            Kind::Cloud => format!("Basic {}", STANDARD.encode(format!("{email}:{token}"))),
            Kind::DataCenter => format!("Bearer {token}"),
        }
    }
}

fn unsent(error: &outbound::Error, is_read: bool) -> Failure {
    match error {
        outbound::Error::LongAnswer(_) => Failure::Unreadable(error.to_string()),
        error => Failure::Unreachable { said: error.to_string(), was_sent: error.is_retryable() && !is_read },
    }
}

fn read(answer: &Answer, is_read: bool) -> Result<Value, Failure> {
    let body = answer.body.trim();
    match answer.status {
        200..300 if body.is_empty() => Ok(Value::Null),
        200..300 => serde_json::from_str(body).map_err(|error| Failure::Unreadable(error.to_string())),
        401 => Err(Failure::Credentials),
        403 => Err(Failure::Forbidden { said: colon(&said(body)) }),
        404 | 410 if is_of_jira(body) => Err(Failure::NotFound { said: colon(&said(body)) }),
        404 | 410 => Err(Failure::Unreachable {
            said: format!("the answer is {}, and not Jira's: check the address of the site", answer.status),
            was_sent: false,
        }),
        429 => Err(Failure::RateLimited { wait_s: answer.retry_after_s.unwrap_or(DEFAULT_WAIT_S).max(1) }),
        300..=399 => Err(Failure::Unreachable {
            said: format!(
                "the answer is {}, a redirect, and those are not followed: set the address it leads to",
                answer.status
            ),
            was_sent: false,
        }),
        408 | 425 | 500.. => {
            let said = match said(body) {
                said if said.is_empty() => format!("the answer is {}", answer.status),
                said => format!("the answer is {}: {said}", answer.status),
            };
            // 503 with a time to come back is said before anything was done.
            match (answer.status, answer.retry_after_s) {
                (503, Some(wait_s)) => Err(Failure::RateLimited { wait_s: wait_s.max(1) }),
                _ => Err(Failure::Unreachable { said, was_sent: !is_read }),
            }
        }
        status => Err(refused(status, body)),
    }
}

/// Whether it is how Jira says that something went wrong. A wrong path of the site is answered by others.
fn is_of_jira(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["errorMessages"].is_array() || body["errors"].is_object()
}

fn colon(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// `errorMessages` and `errors`, as Jira has them.
fn parts(body: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return (Vec::new(), BTreeMap::new()) };
    let line = |value: &Value| value.as_str().map(|said| text::line(said, SHOWN));
    let messages = value["errorMessages"].as_array().into_iter().flatten().filter_map(line).take(5).collect();
    let fields = value["errors"].as_object().into_iter().flatten().take(50);
    (messages, fields.filter_map(|(id, value)| Some((text::line(id, 100), line(value)?))).collect())
}

/// What Jira said, in one line; nothing where it is a page.
fn said(body: &str) -> String {
    let (mut messages, fields) = parts(body);
    messages.extend(fields.into_iter().map(|(id, said)| format!("{id}: {said}")));
    text::line(&messages.join("; "), SHOWN)
}

fn refused(status: u16, body: &str) -> Failure {
    let (_, fields) = parts(body);
    let said = match said(body) {
        said if said.is_empty() => format!("the answer is {status}"),
        said => said,
    };
    Failure::Refused { said, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(kind: Kind) -> Settings {
        Settings {
            site: "https://a.example/jira".to_owned(),
            kind,
            email: "bot@a.example".to_owned(),
            token: "t".to_owned(),
            hook_token: String::new(),
            hook_secret: String::new(),
            defaults: None,
            sync_state: true,
            sync_assignee: true,
            comments: true,
        }
    }

    #[test]
    fn what_is_in_a_path_stays_one_segment() {
        let outbound = Outbound::new(crate::outbound::AllowList::parse(&[]).unwrap());
        let address = |kind, path: &[&str]| {
            let settings = settings(kind);
            let client = Client { outbound: &outbound, settings: &settings };
            client.address(path, &[("q", "a&b")]).unwrap().to_string()
        };
        assert_eq!(
            address(Kind::Cloud, &["issue", "../../x?y#z"]),
            "https://a.example/jira/rest/api/3/issue/..%2F..%2Fx%3Fy%23z?q=a%26b"
        );
        assert!(
            address(Kind::DataCenter, &["myself"]).starts_with("https://a.example/jira/rest/api/2/myself")
        );
    }

    #[test]
    fn an_answer_says_what_is_wrong() {
        let answer = |status, body: &str| Answer { status, retry_after_s: None, body: body.to_owned() };
        let said = r#"{"errorMessages":["no\u0000pe"],"errors":{"customfield_1":"Team is required."}}"#;
        let Err(Failure::Refused { said, fields }) = read(&answer(400, said), false) else { panic!() };
        assert_eq!(said, "nope; customfield_1: Team is required.");
        assert_eq!(fields["customfield_1"], "Team is required.");
        assert_eq!(read(&answer(401, "<html>"), false), Err(Failure::Credentials));
        let missing = read(&answer(404, r#"{"errorMessages":["no such issue"],"errors":{}}"#), true);
        assert_eq!(missing, Err(Failure::NotFound { said: ": no such issue".to_owned() }));
        for strange in ["", "<html>not found</html>", r#"{"error":"not found"}"#] {
            assert!(
                matches!(read(&answer(404, strange), true), Err(Failure::Unreachable { .. })),
                "{strange}"
            );
        }
        assert!(read(&answer(500, ""), false).is_err_and(|failure| failure.is_unsure()));
        assert!(read(&answer(500, ""), true).is_err_and(|failure| !failure.is_unsure()));
        assert_eq!(read(&answer(429, ""), false), Err(Failure::RateLimited { wait_s: 60 }));
        assert_eq!(read(&answer(204, ""), false), Ok(Value::Null));
    }
}
