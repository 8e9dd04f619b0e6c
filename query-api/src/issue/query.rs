//! The search of a list of issues: words that title or culprit hold, and `field:value`; all must hold. A value with spaces stands in quotes.

use playhead_domain::row::{Breakdown, IssueTotals};

use crate::error::ApiError;
use crate::model::issue::IssueState;

const MAX_BYTES: usize = 500;
const FIELDS: &str = "type, release, state, browser, os, page, country, mechanism, assignee or is";

/// A part of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    /// In lower case.
    Word(String),
    Type(String),
    Release(String),
    State(String),
    Browser(String),
    Os(String),
    Page(String),
    Country(String),
    Mechanism(String),
    /// Empty: nobody.
    Assignee(String),
    Handled(bool),
}

/// A search.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<Term>);

impl Query {
    /// # Errors
    /// [`ApiError::BadRequest`] for a field that there is not.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.len() > MAX_BYTES {
            return Err(ApiError::bad("query", format!("longer than {MAX_BYTES} bytes")));
        }
        split(text).into_iter().map(|(field, value)| term(&field, value)).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn matches(&self, totals: &IssueTotals, state: IssueState, assignee: &str) -> bool {
        self.0.iter().all(|term| matches(term, totals, state, assignee))
    }
}

/// Fields (empty for a word) and values.
fn split(text: &str) -> Vec<(String, String)> {
    let mut terms = Vec::new();
    let (mut field, mut value, mut is_quoted, mut was_quoted) = (String::new(), String::new(), false, false);
    for c in text.chars().chain([' ']) {
        match c {
            '"' => (is_quoted, was_quoted) = (!is_quoted, true),
            ':' if !is_quoted && !was_quoted && field.is_empty() && is_field(&value) => {
                field = std::mem::take(&mut value);
            }
            c if c.is_whitespace() && !is_quoted => {
                let (field, value) = (std::mem::take(&mut field), std::mem::take(&mut value));
                if !field.is_empty() || !value.is_empty() {
                    terms.push((field, value));
                }
                was_quoted = false;
            }
            c => value.push(c),
        }
    }
    if is_quoted && !value.trim().is_empty() {
        // The quote was not closed: it means all that follows.
        terms.push((field, value.trim().to_owned()));
    }
    terms
}

/// `TypeError:` is a word of a title; fields are in lower case.
fn is_field(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn term(field: &str, value: String) -> Result<Term, ApiError> {
    Ok(match (field, value.as_str()) {
        ("", _) => Term::Word(value.to_lowercase()),
        ("type", _) => Term::Type(value),
        ("release", _) => Term::Release(value),
        (
            "state",
            "new" | "ongoing" | "escalating" | "regressed" | "resolved" | "archived" | "unresolved",
        ) => Term::State(value),
        ("state", _) => {
            return Err(ApiError::bad(
                "query",
                "state: new, ongoing, escalating, regressed, resolved, archived or unresolved",
            ));
        }
        ("browser", _) => Term::Browser(value),
        ("os", _) => Term::Os(value),
        ("page", _) => Term::Page(value),
        ("country", _) => Term::Country(value),
        ("mechanism", _) => Term::Mechanism(value),
        ("assignee", "none") => Term::Assignee(String::new()),
        ("assignee", _) => Term::Assignee(value),
        ("is", "handled") => Term::Handled(true),
        ("is", "unhandled") => Term::Handled(false),
        ("is", _) => return Err(ApiError::bad("query", "is: handled or unhandled")),
        ("http" | "https", _) => Term::Word(format!("{field}:{}", value.to_lowercase())),
        (field, _) => return Err(ApiError::bad("query", format!("`{field}:` must be {FIELDS}"))),
    })
}

fn matches(term: &Term, totals: &IssueTotals, state: IssueState, assignee: &str) -> bool {
    let Some(latest) = &totals.latest else { return false };
    match term {
        Term::Word(word) => {
            latest.title.to_lowercase().contains(word) || latest.culprit.to_lowercase().contains(word)
        }
        Term::Type(kind) => latest.kind.eq_ignore_ascii_case(kind),
        Term::Release(release) => has(totals.releases.as_ref(), release),
        Term::State(wanted) => is_state(wanted, state),
        Term::Browser(browser) => has(totals.browsers.as_ref(), browser),
        Term::Os(os) => has(totals.systems.as_ref(), os),
        Term::Page(page) => has(totals.pages.as_ref(), page),
        Term::Country(country) => has(totals.countries.as_ref(), country),
        Term::Mechanism(mechanism) => latest.mechanism.eq_ignore_ascii_case(mechanism),
        Term::Assignee(wanted) => wanted.eq_ignore_ascii_case(assignee),
        Term::Handled(wanted) => latest.handled == *wanted,
    }
}

fn is_state(wanted: &str, state: IssueState) -> bool {
    match wanted {
        "new" => state == IssueState::New,
        "ongoing" => state == IssueState::Ongoing,
        "escalating" => state == IssueState::Escalating,
        "regressed" => state == IssueState::Regressed,
        "resolved" => state == IssueState::Resolved,
        "archived" => state == IssueState::Archived,
        _ => !matches!(state, IssueState::Resolved | IssueState::Archived),
    }
}

fn has(breakdown: Option<&Breakdown>, wanted: &str) -> bool {
    breakdown.is_some_and(|known| known.values.keys().any(|value| value.eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fields_and_quotes() {
        let terms = |text: &str| Query::parse(text).unwrap().0;
        assert_eq!(terms("  Cart  pay "), [Term::Word("cart".to_owned()), Term::Word("pay".to_owned())]);
        assert_eq!(
            terms(r#"type:TypeError browser:"Mobile Safari" "is not" is:unhandled"#),
            [
                Term::Type("TypeError".to_owned()),
                Term::Browser("Mobile Safari".to_owned()),
                Term::Word("is not".to_owned()),
                Term::Handled(false)
            ]
        );
        assert_eq!(terms("TypeError: x"), [Term::Word("typeerror:".to_owned()), Term::Word("x".to_owned())]);
        assert_eq!(terms("https://a.b/C"), [Term::Word("https://a.b/c".to_owned())]);
        assert_eq!(terms("\"open end"), [Term::Word("open end".to_owned())]);
        assert_eq!(terms(""), []);
    }

    #[test]
    fn what_is_no_field_is_said() {
        for text in ["colour:red", "state:gone", "is:big"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
        assert!(Query::parse(&"x".repeat(MAX_BYTES + 1)).is_err());
    }
}
