//! What is told of an alert: built by alerts, rendered by each kind of channel.

/// What happened to a firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    Triggered,
    Acknowledged,
    Resolved,
    Test,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    High,
    Medium,
    Low,
}

/// Absolute addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    pub subject: String,
    pub replay: Option<String>,
    pub rule: String,
}

/// A message to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for every try, used as the idempotency key.
    pub id: String,
    pub transition: Transition,
    pub priority: Priority,
    pub project: String,
    pub rule: String,
    pub title: String,
    pub culprit: String,
    /// The condition that was met, in a sentence.
    pub why: String,
    pub facts: Vec<(String, String)>,
    pub since_ms: i64,
    pub links: Links,
}
