//! What ties a project to Jira.

use bytes::Bytes;

/// A project's connection to Jira.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JiraConnection {
    /// JSON with the site, the credentials and what issues are created with, sealed: see [`crate::seal::SecretSealer`].
    #[prost(bytes = "bytes", tag = "1")]
    pub sealed: Bytes,
    #[prost(int64, tag = "2")]
    pub changed_ms: i64,
    /// Grows with every change that people make.
    #[prost(uint64, tag = "3")]
    pub version: u64,
    /// Why Jira does not let us in; empty: it does.
    #[prost(string, tag = "4")]
    pub fault: String,
    #[prost(int64, tag = "5")]
    pub fault_ms: i64,
}

/// The Jira issue of an issue, or the try to create it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JiraLink {
    /// By what the Jira issue is looked up when nobody knows whether it was created.
    #[prost(string, tag = "1")]
    pub marker: String,
    /// When a creation began whose outcome is not known; 0: there is none.
    #[prost(int64, tag = "2")]
    pub attempted_ms: i64,
    /// Jira's own number; empty: not created.
    #[prost(string, tag = "3")]
    pub id: String,
    /// `SHOP-7`.
    #[prost(string, tag = "4")]
    pub key: String,
    /// As Jira last told.
    #[prost(string, tag = "5")]
    pub status: String,
    /// `new`, `indeterminate` or `done`; empty: not known.
    #[prost(string, tag = "6")]
    pub category: String,
    /// Account id (Cloud) or user name (Data Center); empty: nobody.
    #[prost(string, tag = "7")]
    pub account: String,
    /// The assignee's name for people.
    #[prost(string, tag = "8")]
    pub assignee: String,
    #[prost(int64, tag = "9")]
    pub created_ms: i64,
    #[prost(string, tag = "10")]
    pub created_by: String,
    #[prost(int64, tag = "11")]
    pub checked_ms: i64,
    /// It was deleted, or the account may not see it any more.
    #[prost(bool, tag = "12")]
    pub gone: bool,
    /// What could not be done, for people; empty: nothing.
    #[prost(string, tag = "13")]
    pub fault: String,
    #[prost(int64, tag = "14")]
    pub fault_ms: i64,
    /// What Jira is still to be told.
    #[prost(message, optional, tag = "15")]
    pub wants: Option<JiraWants>,
    /// Where it is: numbers and keys say something within one site only.
    #[prost(string, tag = "16")]
    pub site: String,
}

/// What Jira is still to be told of an issue.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct JiraWants {
    /// `done` or `open`; empty: its status stays.
    #[prost(string, tag = "1")]
    pub state: String,
    /// A name or an e-mail address, empty for nobody; absent: the assignee stays.
    #[prost(string, optional, tag = "2")]
    pub assignee: Option<String>,
    /// The link back to us.
    #[prost(bool, tag = "3")]
    pub remote_link: bool,
    #[prost(uint32, tag = "4")]
    pub tries: u32,
    #[prost(int64, tag = "5")]
    pub next_ms: i64,
    #[prost(int64, tag = "6")]
    pub since_ms: i64,
    /// A worker is at it until then at most; 0: nobody is.
    #[prost(int64, tag = "7")]
    pub claimed_until_ms: i64,
    /// Whose change in Jira is to be read, for people; empty: nobody's.
    #[prost(string, tag = "8")]
    pub read_for: String,
    /// How often somebody asked for a reading: one that began before the last time may not have what it is about.
    #[prost(uint32, tag = "9")]
    pub reads: u32,
}
