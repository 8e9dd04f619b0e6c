//! Issues as lists and the issue page show them. Times are milliseconds of the Unix epoch; what is not known is null.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::project::GroupingRule;

/// What is to be thought of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// First seen within the last 24 hours.
    New,
    Ongoing,
    /// More events in three hours than its own history lets one expect.
    Escalating,
    /// It happened again after it was resolved.
    Regressed,
    Resolved,
    Archived,
}

/// One mistake in one place of the page's code.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Issue {
    /// 32 hexadecimal digits.
    pub id: String,
    pub title: String,
    /// Where in the page's code, or on which page.
    pub culprit: String,
    /// Of the error.
    #[serde(rename = "type")]
    pub kind: String,
    pub mechanism: String,
    pub handled: bool,
    pub state: IssueState,
    /// In what a resolved issue is resolved.
    pub resolved_in: Option<ResolvedIn>,
    /// With `next_release` and `this_release`.
    pub resolved_release: Option<String>,
    /// What ends the archive; null: nothing.
    pub archived_until: Option<ArchivedUntil>,
    /// The forecast that was passed.
    pub escalation: Option<Escalation>,
    pub assignee: Option<String>,
    pub events: u64,
    /// A session counts for the first 50 issues that it has.
    pub sessions: u64,
    /// Whether each session was counted once; if not, a session that has several of the merged issues counts for each, and there are
    /// at most so many.
    pub sessions_exact: bool,
    /// A session without a user counts as one.
    pub users: u64,
    /// Whether `users` was counted to the end; if not, there are at least so many.
    pub users_exact: bool,
    /// Issues that people merged into it.
    pub merged: usize,
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    pub first_release: Option<String>,
    pub last_release: Option<String>,
    /// Events of each hour (UTC), the oldest first, the last one under way.
    pub hours_24: Vec<u64>,
    /// Events of each day (UTC), the oldest first, the last one under way.
    pub days_30: Vec<u64>,
    pub priority: Priority,
    pub latest: Option<Occurrence>,
}

/// More happens than was to be expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Escalation {
    pub events: u64,
    /// Within so many hours, the one under way included.
    pub hours: i64,
    /// The most that its own history of hours and days lets one expect.
    pub forecast: u64,
}

/// What brings an archived issue back: one of `escalating`, `events` and `users`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchivedUntil {
    /// That it escalates.
    #[serde(default)]
    pub escalating: bool,
    /// So many more events: 1 to 1,000,000.
    pub events: Option<u64>,
    /// So many more users: 1 to 9,000, with those that it has; more are not counted exactly.
    pub users: Option<u64>,
    /// With `events`: within so many days (UTC) that follow each other, 1 to 30; else whenever.
    pub days: Option<u32>,
}

/// How much an issue matters now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Priority {
    /// 0 to 100.
    pub score: u32,
    pub level: PriorityLevel,
    /// One line.
    pub reason: String,
    /// People gave it.
    pub pinned: bool,
}

/// A score in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriorityLevel {
    /// From 60 on.
    High,
    /// From 30 on.
    Medium,
    Low,
}

/// The newest occurrence of an issue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Occurrence {
    pub session: String,
    pub event: String,
    pub time_ms: i64,
    /// What waits behind the link; null in lists.
    pub replay: Option<OccurrenceReplay>,
}

/// What waits behind a link to an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OccurrenceReplay {
    Playable,
    Recording,
    Partial,
    /// The page was not recorded; the time line is there.
    None,
    Erased,
    Expired,
}

/// Some issues, in the order that was asked for.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssuePage {
    pub issues: Vec<Issue>,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
    /// More issues are stored than one request looks at; those shown may not be the first ones.
    pub partial: bool,
    /// The issue that takes the errors of those beyond the bound, if there are any.
    pub overflow: Option<String>,
}

/// An issue with what its page shows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssueDetail {
    #[serde(flatten)]
    pub issue: Issue,
    /// Of the rules by which it was grouped.
    pub grouping_version: u32,
    /// `fingerprint`, `resource`, `policy`, `stack`, `message` or `overflow`.
    pub basis: String,
    /// Why its events are together.
    pub components: Vec<GroupingPart>,
    pub breakdowns: Breakdowns,
    /// The newest first; of the merged issues too.
    pub history: Vec<IssueChangeRecord>,
    /// The issues that were merged into it.
    pub members: Vec<IssueMember>,
}

/// An issue that is shown as a part of another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssueMember {
    pub id: String,
    /// Null: nothing of it is kept any more. What comes of it counts for the whole.
    pub title: Option<String>,
    pub culprit: Option<String>,
    pub events: u64,
    pub sessions: u64,
    pub last_seen_ms: Option<i64>,
    pub merged_at_ms: i64,
    pub merged_by: String,
}

/// Some issues.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueIds {
    /// 1 to 100.
    pub ids: Vec<String>,
}

/// An issue whose errors are dropped.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DiscardedIssue {
    pub id: String,
    pub title: String,
    pub discarded_by: String,
    /// What is received from then on is dropped.
    pub from_ms: i64,
    /// What is received from then on is taken again, as another issue; null: nothing is.
    pub to_ms: Option<i64>,
}

/// The discarded issues of a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DiscardedIssueList {
    /// The latest first.
    pub items: Vec<DiscardedIssue>,
}

/// Rules to try.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRunRequest {
    /// At most 50.
    pub rules: Vec<GroupingRule>,
}

/// What rules would have made of the last seven days (UTC, today included).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DryRun {
    /// Issues whose newest occurrence was looked at: at most 500, those with the most events.
    pub issues: usize,
    /// Issues whose newest occurrence is not kept any more.
    pub not_kept: usize,
    /// There are more issues than one request looks at.
    pub partial: bool,
    /// Issues that would be one, in the order of the rules.
    pub groups: Vec<DryRunGroup>,
}

/// What a rule would have matched.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DryRunGroup {
    /// Its number, from 1.
    pub rule: usize,
    pub fingerprint: String,
    pub issues: Vec<DryRunIssue>,
}

/// An issue as it is without the rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DryRunIssue {
    pub id: String,
    pub title: String,
    /// Of the seven days.
    pub events: u64,
}

/// Issues that are to be one.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueMerge {
    /// 1 to 100. `into` may be among them.
    pub ids: Vec<String>,
    /// The issue under which all are shown.
    pub into: String,
}

/// Something that the error tells.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct GroupingPart {
    pub name: String,
    pub values: Vec<String>,
    /// Whether it decides to which issue the error belongs.
    pub counted: bool,
    pub why: String,
}

/// Events by value, the most frequent first. What is beyond 50 values is one, `other`; an empty value is not known.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Breakdowns {
    pub release: Vec<BreakdownValue>,
    pub browser: Vec<BreakdownValue>,
    pub os: Vec<BreakdownValue>,
    pub page: Vec<BreakdownValue>,
    pub country: Vec<BreakdownValue>,
}

/// How many events have a value.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BreakdownValue {
    pub value: String,
    pub events: u64,
}

/// Who changed what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssueChangeRecord {
    pub time_ms: i64,
    pub actor: String,
    pub change: String,
}

/// A state that people give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GivenState {
    /// Neither resolved nor archived.
    Ongoing,
    Resolved,
    Archived,
}

/// From when on an issue counts as resolved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedIn {
    /// Whatever comes is a regression.
    #[default]
    Now,
    /// Only what comes of releases after the newest one that had it is a regression: by semantic version, else by when they were
    /// first seen.
    NextRelease,
    /// What comes of `release` and later ones is a regression.
    ThisRelease,
}

/// What to change; a member that is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuePatch {
    pub state: Option<GivenState>,
    /// Empty: nobody.
    pub assignee: Option<String>,
    /// With the state `resolved`.
    pub resolved_in: Option<ResolvedIn>,
    /// With `this_release`; the newest that had it unless given.
    pub release: Option<String>,
    /// With the state `archived`; for good unless given.
    pub archived_until: Option<ArchivedUntil>,
    /// Pins the priority, whatever the counts say.
    pub priority: Option<PinnedPriority>,
}

/// A priority that people give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PinnedPriority {
    High,
    Medium,
    Low,
    /// The counts decide.
    None,
}

impl PinnedPriority {
    /// As it is stored.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::None => "",
        }
    }
}

/// The same for many.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueBulkPatch {
    /// 1 to 100.
    pub ids: Vec<String>,
    pub state: Option<GivenState>,
    pub assignee: Option<String>,
    pub resolved_in: Option<ResolvedIn>,
    pub release: Option<String>,
    pub archived_until: Option<ArchivedUntil>,
    pub priority: Option<PinnedPriority>,
}

/// What became of a change of many.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IssueBulkResult {
    pub changed: Vec<String>,
    /// Of which there is no issue.
    pub missing: Vec<String>,
}
