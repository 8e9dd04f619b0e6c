//! The connection to Jira, and the Jira issues of issues. Times are milliseconds of the Unix epoch; what is not known is null.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which Jira it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JiraKind {
    /// `https://….atlassian.net`: an e-mail address and an API token.
    Cloud,
    /// A Jira of one's own: a personal access token.
    DataCenter,
}

/// With what Jira issues are created unless somebody says otherwise, and always by rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JiraDefaults {
    /// Key of the Jira project.
    pub project: String,
    /// Id of the type.
    pub issue_type: String,
    /// Values of required fields by their ids: a text, a number, the id of an option or of a user, a date (`2026-01-31`), or a list of
    /// these.
    #[serde(default)]
    #[schema(additional_properties, value_type = Object)]
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// The connection as it is to be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JiraDraft {
    /// Address of the site: https, on the public network unless the operator allows others.
    pub site: String,
    pub kind: JiraKind,
    /// Of the account; with `cloud`.
    #[serde(default)]
    pub email: Option<String>,
    /// Left out: the one that there is, for the same site and account.
    #[serde(default)]
    pub token: Option<String>,
    #[serde(default)]
    pub defaults: Option<JiraDefaults>,
    /// Resolving here and finishing there go together.
    #[serde(default)]
    pub sync_state: bool,
    #[serde(default)]
    pub sync_assignee: bool,
    /// A comment when a rule triggers for an issue that has a Jira issue.
    #[serde(default)]
    pub comments: bool,
    /// As read. Another one is answered with 409.
    #[serde(default)]
    pub version: Option<u64>,
}

/// A project's connection, without its secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraConnection {
    pub site: String,
    pub kind: JiraKind,
    pub email: Option<String>,
    /// The last characters of the token.
    pub token_hint: String,
    pub defaults: Option<JiraDefaults>,
    pub sync_state: bool,
    pub sync_assignee: bool,
    pub comments: bool,
    pub version: u64,
    pub changed_at: i64,
    /// Why Jira does not let us in.
    pub fault: Option<String>,
    pub fault_at: Option<i64>,
}

/// Whether the project is connected.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraSettings {
    pub connection: Option<JiraConnection>,
}

/// What Jira's web hook needs to be told: shown once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraHook {
    /// A secret.
    pub url: String,
    pub secret: String,
}

/// A connection that was saved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SavedJira {
    pub connection: JiraConnection,
    /// When it was made now: shown in this answer and never again.
    pub hook: Option<JiraHook>,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraTest {
    pub works: bool,
    /// Who we are to Jira, or why it does not work.
    pub detail: String,
    /// A later try may succeed.
    pub retryable: bool,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JiraChoice {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraChoiceList {
    pub items: Vec<JiraChoice>,
}

/// A type of issue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraIssueType {
    pub id: String,
    pub name: String,
    /// It is a part of another issue.
    pub subtask: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraIssueTypeList {
    pub items: Vec<JiraIssueType>,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JiraFieldKind {
    Text,
    LongText,
    Number,
    /// The id of one of `options`.
    Option,
    /// A list of them.
    Options,
    /// The id of a user.
    User,
    Users,
    /// `2026-01-31`
    Date,
    /// `2026-01-31T12:00`, UTC.
    DateTime,
    /// A list of words.
    Labels,
    /// The key of a Jira issue.
    Issue,
    Unsupported,
}

/// A field that Jira requires.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraField {
    pub id: String,
    pub name: String,
    pub kind: JiraFieldKind,
    pub options: Vec<JiraChoice>,
    /// With `unsupported`: what to do.
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraFieldList {
    pub items: Vec<JiraField>,
}

/// Where a Jira issue is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JiraCategory {
    ToDo,
    InProgress,
    Done,
    Unknown,
}

/// The Jira issue of an issue.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraIssue {
    /// `SHOP-7`
    pub key: String,
    /// In the site in which it was created.
    pub url: String,
    /// As Jira last told.
    pub status: Option<String>,
    pub category: JiraCategory,
    pub assignee: Option<String>,
    pub created_at: i64,
    pub created_by: String,
    pub checked_at: i64,
    /// It was deleted, or the account may not see it any more.
    pub gone: bool,
    /// What could not be done.
    pub fault: Option<String>,
    pub fault_at: Option<i64>,
    /// Something is still to be told to Jira.
    pub pending: bool,
}

/// An issue and Jira.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JiraState {
    /// The project is connected.
    pub connected: bool,
    /// Why Jira does not let us in.
    pub fault: Option<String>,
    pub issue: Option<JiraIssue>,
    /// A creation began whose outcome is not known: creating again looks for it first.
    pub unsure: bool,
}

/// A Jira issue to create. What is left out is taken from the connection's defaults.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJiraIssue {
    #[serde(default)]
    pub project: Option<String>,
    #[serde(default)]
    pub issue_type: Option<String>,
    /// As in the connection's defaults.
    #[serde(default)]
    #[schema(additional_properties, value_type = Object)]
    pub fields: BTreeMap<String, serde_json::Value>,
}
