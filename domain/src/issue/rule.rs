//! Rules of a project that give errors a fingerprint: matched by linear-time patterns, the first one decides.

use regex::{Regex, RegexBuilder};

use super::Thrown;
use super::stack::Stack;
use crate::row::GroupingRule;
use crate::session::fold::cut;

/// Rules of a project.
pub const MAX_RULES: usize = 50;
/// The longest pattern, and the longest fingerprint.
pub const MAX_BYTES: usize = 200;
/// All texts of a project's rules together: a project's row has several versions of them.
pub const MAX_BYTES_IN_SUM: usize = 8 << 10;
/// What a compiled pattern may take in memory, and so the steps for each byte that it looks at: repetitions of repetitions are refused.
/// A `\w`, which is every letter of Unicode, takes 49 KiB.
const MAX_COMPILED_BYTES: usize = 64 << 10;
/// What a pattern may remember of what it has looked at: with less, long ones are sixty times as slow.
const MAX_REMEMBERED_BYTES: usize = 256 << 10;
const MAX_NESTING: u32 = 20;
/// What of an error is looked at, by every rule.
const MAX_KIND_BYTES: usize = 200;
const MAX_MESSAGE_BYTES: usize = 1_024;
const MAX_PATH_BYTES: usize = 512;
const MAX_PATHS_BYTES: usize = 4 << 10;

/// A rule that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0}: {1}")]
    Pattern(&'static str, String),
    #[error("{0}: is longer than {MAX_BYTES} bytes")]
    TooLong(&'static str),
    #[error("needs a fingerprint")]
    NoFingerprint,
    #[error("needs a path, a type or a message to match")]
    MatchesAll,
}

/// Whether the rules are too long together.
#[must_use]
pub fn is_too_long_in_sum(rules: &[GroupingRule]) -> bool {
    let bytes = |rule: &GroupingRule| {
        [&rule.path, &rule.kind, &rule.message, &rule.fingerprint].map(String::len).into_iter().sum::<usize>()
    };
    rules.iter().map(bytes).sum::<usize>() > MAX_BYTES_IN_SUM
}

#[derive(Debug, Clone)]
struct Rule {
    path: Option<Regex>,
    kind: Option<Regex>,
    message: Option<Regex>,
    fingerprint: String,
}

/// Compiled rules, in their order.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// The rules that can be compiled: all that were checked when they were written.
    #[must_use]
    pub fn new(rules: &[GroupingRule]) -> Self {
        Self(rules.iter().take(MAX_RULES).filter_map(|rule| compile(rule).ok()).collect())
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number (from 0) and the fingerprint of the first rule that matches.
    #[must_use]
    pub fn find(&self, thrown: &Thrown<'_>, stack: &Stack) -> Option<(usize, &str)> {
        if self.0.is_empty() {
            return None;
        }
        let kind = cut(thrown.kind, MAX_KIND_BYTES);
        let message = cut(thrown.message, MAX_MESSAGE_BYTES);
        let paths = paths(thrown, stack);
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        let matches = |rule: &Rule| {
            fits(&rule.kind, kind)
                && fits(&rule.message, message)
                && rule.path.as_ref().is_none_or(|pattern| paths.iter().any(|path| pattern.is_match(path)))
        };
        let found = self.0.iter().position(matches)?;
        Some((found, &self.0[found].fingerprint))
    }
}

/// Checks a rule.
///
/// # Errors
/// [`Error`], which says what is wrong with it.
pub fn check(rule: &GroupingRule) -> Result<(), Error> {
    compile(rule).map(drop)
}

fn compile(rule: &GroupingRule) -> Result<Rule, Error> {
    let fingerprint = rule.fingerprint.trim().to_owned();
    if fingerprint.is_empty() {
        return Err(Error::NoFingerprint);
    }
    if fingerprint.len() > MAX_BYTES {
        return Err(Error::TooLong("fingerprint"));
    }
    let compiled = Rule {
        path: pattern("path", &rule.path)?,
        kind: pattern("type", &rule.kind)?,
        message: pattern("message", &rule.message)?,
        fingerprint,
    };
    if compiled.path.is_none() && compiled.kind.is_none() && compiled.message.is_none() {
        return Err(Error::MatchesAll);
    }
    Ok(compiled)
}

fn pattern(name: &'static str, text: &str) -> Result<Option<Regex>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > MAX_BYTES {
        return Err(Error::TooLong(name));
    }
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_REMEMBERED_BYTES).nest_limit(MAX_NESTING);
    builder.build().map(Some).map_err(|error| {
        let lines = error.to_string();
        let last = lines.lines().last().unwrap_or_default();
        Error::Pattern(name, last.trim_start_matches("error: ").to_owned())
    })
}

/// Of the page and of the page's own scripts, the nearest to the error first: each once, and as many as there is room for.
fn paths<'a>(thrown: &Thrown<'a>, stack: &'a Stack) -> Vec<&'a str> {
    let frames = stack.frames.iter().filter(|frame| frame.in_app).map(|frame| frame.file.as_str());
    let (mut paths, mut room) = (Vec::new(), MAX_PATHS_BYTES);
    for url in [thrown.page_url, thrown.source].into_iter().chain(frames) {
        let path = cut(path(url), MAX_PATH_BYTES);
        if path.is_empty() || paths.contains(&path) {
            continue;
        }
        let Some(left) = room.checked_sub(path.len()) else { break };
        room = left;
        paths.push(path);
    }
    paths
}

/// The path of an address, without query.
fn path(url: &str) -> &str {
    let url = url.find(['?', '#']).map_or(url, |at| &url[..at]);
    crate::session::facet::path(url)
}

#[cfg(test)]
mod tests {
    use super::super::stack::Frame;
    use super::*;

    fn rule(path: &str, kind: &str, message: &str) -> GroupingRule {
        GroupingRule {
            path: path.to_owned(),
            kind: kind.to_owned(),
            message: message.to_owned(),
            fingerprint: "payments".to_owned(),
        }
    }

    fn thrown() -> Thrown<'static> {
        Thrown {
            kind: "TypeError",
            message: "the card 4711 was refused",
            page_url: "https://shop.example/checkout/7?step=2",
            ..Thrown::default()
        }
    }

    fn matches(rule: GroupingRule) -> bool {
        Rules::new(&[rule]).find(&thrown(), &Stack::default()).is_some()
    }

    #[test]
    fn all_that_is_given_must_match() {
        assert!(matches(rule("^/checkout/", "", "")));
        assert!(matches(rule("^/checkout/\\d+$", "^Type", "card \\d+")));
        assert!(!matches(rule("^/checkout/", "RangeError", "")));
        assert!(!matches(rule("step", "", "")), "the query is not part of it");
        let rules = Rules::new(&[rule("", "Range", ""), rule("", "Type", ""), rule("", "", "card")]);
        assert_eq!(rules.find(&thrown(), &Stack::default()), Some((1, "payments")), "the first one");
    }

    #[test]
    fn what_cannot_be_is_said() {
        let fault = |rule: &GroupingRule| check(rule).unwrap_err().to_string();
        assert!(fault(&rule("", "", "(a")).starts_with("message: "));
        assert!(fault(&rule("", "", "((a{1000}){1000}){1000}")).contains("size limit"));
        assert!(fault(&rule("", &"x".repeat(MAX_BYTES + 1), "")).contains("longer"));
        assert_eq!(check(&rule("", "", "")), Err(Error::MatchesAll));
        assert_eq!(
            check(&GroupingRule { fingerprint: " ".to_owned(), ..rule("/", "", "") }),
            Err(Error::NoFingerprint)
        );
        let deep = "(".repeat(60) + "a" + &")".repeat(60);
        assert!(check(&rule("", "", &deep)).is_err());
    }

    #[test]
    fn what_is_looked_at_is_bounded() {
        let far = |bytes: usize| "x".repeat(bytes) + "end";
        let (kind, page_url) = (far(MAX_KIND_BYTES), format!("https://a.example/{}", far(MAX_PATH_BYTES)));
        let thrown = Thrown { kind: &kind, page_url: &page_url, ..Thrown::default() };
        let find = |rule: GroupingRule, stack: &Stack| Rules::new(&[rule]).find(&thrown, stack).is_some();
        let none = Stack::default();
        assert!(find(rule("", "xx$", ""), &none) && find(rule("^/xx", "", ""), &none));
        assert!(!find(rule("", "end", ""), &none) && !find(rule("end", "", ""), &none));
        let file = |number: usize| format!("https://a.example/{number}/{}", "x".repeat(MAX_PATH_BYTES));
        let frame = |file: String| Frame { file, in_app: true, ..Frame::default() };
        let frames = (0..50).flat_map(|number| [frame(file(number)), frame(file(number))]).collect();
        let stack = Stack { frames, ..Stack::default() };
        let most = MAX_PATHS_BYTES / MAX_PATH_BYTES - 1;
        assert!(find(rule(&format!("^/{}/", most - 1), "", ""), &stack), "each path is counted once");
        assert!(!find(rule(&format!("^/{most}/"), "", ""), &stack));
    }

    #[test]
    fn what_people_write_is_small_enough() {
        let usual = [
            r"^/(checkout|cart)/\w+/\d+$",
            r"(?i)loading (css )?chunk [\w-]+ failed",
            r"^Request failed with status code [45]\d\d",
            r"^Minified React error #\d+; visit https://\S+",
        ];
        for pattern in usual {
            assert_eq!(check(&rule("", "", pattern)), Ok(()), "{pattern}");
        }
        assert!(check(&rule("", "", "(a{50}b){50}")).is_err());
    }

    #[test]
    fn rules_are_bounded_in_sum() {
        let rules = vec![rule(&"x".repeat(192), "", ""); MAX_BYTES_IN_SUM / 200];
        assert!(!is_too_long_in_sum(&rules), "with the fingerprint 200 bytes each");
        assert!(is_too_long_in_sum(&[rules, vec![rule(&"x".repeat(192), "", "")]].concat()));
    }

    #[test]
    fn a_pathological_pattern_takes_no_longer_than_another() {
        let long = "a".repeat(100_000);
        let thrown = Thrown { message: &long, ..thrown() };
        let rules = Rules::new(&[rule("", "", "(a*)*b"), rule("", "", "(a|aa)+$")]);
        // A backtracking engine would not come back from this.
        assert_eq!(rules.find(&thrown, &Stack::default()), Some((1, "payments")));
    }
}
