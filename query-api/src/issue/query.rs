//! The search of a list of issues: words that title or culprit hold, and `field:value`; all must hold. A value with spaces stands in quotes.

use memchr::memmem::Finder;

use super::entry::{self, Entry, Field};
use crate::error::ApiError;
use crate::model::issue::IssueState;

const MAX_BYTES: usize = 500;
const FIELDS: &str = "type, release, state, browser, os, page, country, mechanism, assignee or is";

/// A part of a search. What is looked for in the text of each issue is prepared once: that takes longer than to look.
#[derive(Debug, Clone)]
enum Term {
    /// In lower case.
    Word(Finder<'static>),
    /// As [`entry::value`] spells it.
    Value(Finder<'static>),
    State(String),
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

    pub(crate) fn matches(&self, issue: &Entry, state: IssueState, assignee: &str) -> bool {
        self.0.iter().all(|term| matches(term, issue, state, assignee))
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
        ("", _) => Term::Word(finder(&value.to_lowercase())),
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
        ("assignee", "none") => Term::Assignee(String::new()),
        ("assignee", _) => Term::Assignee(value),
        ("is", "handled") => Term::Handled(true),
        ("is", "unhandled") => Term::Handled(false),
        ("is", _) => return Err(ApiError::bad("query", "is: handled or unhandled")),
        ("http" | "https", _) => Term::Word(finder(&format!("{field}:{}", value.to_lowercase()))),
        (field, value) => match Field::named(field) {
            Some(field) => Term::Value(finder(&entry::value(field, value))),
            None => return Err(ApiError::bad("query", format!("`{field}:` must be {FIELDS}"))),
        },
    })
}

fn finder(text: &str) -> Finder<'static> {
    Finder::new(text).into_owned()
}

fn matches(term: &Term, issue: &Entry, state: IssueState, assignee: &str) -> bool {
    match term {
        _ if !issue.is_shown => false,
        Term::Word(word) => issue.has_word(word),
        Term::Value(value) => issue.has_value(value),
        Term::State(wanted) => is_state(wanted, state),
        Term::Assignee(wanted) => wanted.eq_ignore_ascii_case(assignee),
        Term::Handled(wanted) => issue.is_handled == *wanted,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fields_and_quotes() {
        let spell = |term: &Term| match term {
            Term::Word(text) | Term::Value(text) => String::from_utf8(text.needle().to_vec()).unwrap(),
            term => format!("{term:?}"),
        };
        let terms = |text: &str| Query::parse(text).unwrap().0.iter().map(spell).collect::<Vec<_>>();
        assert_eq!(terms("  Cart  pay "), ["cart", "pay"]);
        assert_eq!(
            terms(r#"type:TypeError browser:"Mobile Safari" "is not" is:unhandled"#),
            [
                &entry::value(Field::Type, "TypeError"),
                &entry::value(Field::Browser, "mobile safari"),
                "is not",
                "Handled(false)"
            ]
        );
        assert_eq!(terms("TypeError: x"), ["typeerror:", "x"]);
        assert_eq!(terms("https://a.b/C"), ["https://a.b/c"]);
        assert_eq!(terms("\"open end"), ["open end"]);
        assert!(terms("").is_empty());
    }

    #[test]
    fn what_is_no_field_is_said() {
        for text in ["colour:red", "state:gone", "is:big"] {
            assert!(Query::parse(text).is_err(), "{text}");
        }
        assert!(Query::parse(&"x".repeat(MAX_BYTES + 1)).is_err());
    }
}
