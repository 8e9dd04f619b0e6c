//! The keys of alerts' rows, and their ids.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

use crate::issue::grouping::Fingerprint;
use crate::scope::Scope;
use crate::session::key::{scope_columns, scoped};
use crate::store::{Key, Value};

/// A rule's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u64);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// It is no id of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of a rule has 16 hexadecimal digits")]
pub struct NoRuleId;

impl FromStr for RuleId {
    type Err = NoRuleId;

    fn from_str(text: &str) -> Result<Self, NoRuleId> {
        let is_id =
            text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !is_id {
            return Err(NoRuleId);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NoRuleId)
    }
}

/// What a rule is judged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// As a whole.
    Project,
    Issue(Fingerprint),
}

const PROJECT: &[u8] = b"project";

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project => f.write_str("project"),
            Self::Issue(issue) => issue.fmt(f),
        }
    }
}

impl Subject {
    fn column(self) -> Value {
        match self {
            Self::Project => Value::Bytes(Bytes::from_static(PROJECT)),
            Self::Issue(issue) => Value::from(issue.0),
        }
    }
}

/// The identity of a transition, and of the message that tells of it: the same however often it is decided or sent.
#[must_use]
pub fn firing(rule: RuleId, version: u64, subject: Subject, number: u64) -> String {
    format!("{rule}-{version}-{subject}-{number}")
}

/// A row of `ALERT_RULES`.
#[must_use]
pub fn rule(scope: Scope, rule: RuleId) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![Value::from(rule.0.to_be_bytes())] }
}

/// The id in the clustering key that [`rule`] made.
#[must_use]
pub fn rule_of(clustering: &[Value]) -> Option<RuleId> {
    match clustering {
        [Value::Bytes(id), ..] => Some(RuleId(u64::from_be_bytes(id.as_ref().try_into().ok()?))),
        _ => None,
    }
}

/// The row of `ALERT_RULES` with the project's settings: its last column is shorter than any rule's.
#[must_use]
pub fn settings(scope: Scope) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![named(b"set")] }
}

/// A row of `ALERT_STATES`.
#[must_use]
pub fn state(scope: Scope, rule: RuleId, subject: Subject) -> Key {
    let clustering = vec![Value::from(rule.0.to_be_bytes()), subject.column()];
    Key { partition: scope_columns(scope), clustering }
}

/// Rule and subject of the clustering key that [`state`] made.
#[must_use]
pub fn state_of(clustering: &[Value]) -> Option<(RuleId, Subject)> {
    let [_, Value::Bytes(subject)] = clustering else { return None };
    let rule = rule_of(clustering)?;
    if subject.as_ref() == PROJECT {
        return Some((rule, Subject::Project));
    }
    Some((rule, Subject::Issue(Fingerprint(subject.as_ref().try_into().ok()?))))
}

/// The row of `ALERT_STATES` that says that what held already when the rule began to ask was noted: [`crate::row::AlertState`].
#[must_use]
pub fn begun(scope: Scope, rule: RuleId) -> Key {
    let clustering = vec![Value::from(rule.0.to_be_bytes()), named(b"begun")];
    Key { partition: scope_columns(scope), clustering }
}

/// The row of `ALERT_STATES` that says who evaluates: [`crate::row::AlertLease`]. Its first column is shorter than any rule's.
#[must_use]
pub fn lease(scope: Scope) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![named(b"set"), named(b"lease")] }
}

/// The row of `ALERT_STATES` that counts messages: [`crate::row::AlertBudget`].
#[must_use]
pub fn budget(scope: Scope) -> Key {
    Key { partition: scope_columns(scope), clustering: vec![named(b"set"), named(b"budget")] }
}

/// A partition of `ALERT_DELIVERIES`.
#[must_use]
pub fn attempts_partition(scope: Scope, day: i64) -> Vec<Value> {
    scoped(scope, [Value::Int(day)])
}

/// A row of `ALERT_DELIVERIES`: one for each try at a message.
#[must_use]
pub fn attempt(scope: Scope, time_ms: i64, message: &str, channel: &str, attempt: u32) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in [message, channel, &attempt.to_string()] {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
    }
    let id = hasher.finalize().as_bytes()[..16].to_vec();
    let partition = attempts_partition(scope, crate::session::key::day(time_ms));
    Key { partition, clustering: vec![Value::Int(time_ms), Value::from(id)] }
}

fn named(name: &'static [u8]) -> Value {
    Value::Bytes(Bytes::from_static(name))
}
