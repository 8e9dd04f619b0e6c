//! Every table, declared once. Key columns are real CQL columns; the value is one protobuf message from [`crate::row`].
//!
//! Data tables start with tenant and project. Control tables are written conditionally (see [`crate::store::Store::compare_and_set`])
//! and sit in a keyspace of their own.

/// The type of a key column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    Int,
    Text,
    Bytes,
}

/// A key column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
}

/// Which keyspace a table is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyspace {
    /// Versioned rows with a TTL.
    Data,
    /// Conditionally written rows.
    Control,
}

/// How the rows of a table come and go: what a distributed store arranges its files by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Written once and left to expire.
    Expiring,
    /// Written over, or deleted when somebody asks for it.
    Changing,
    /// Deleted soon after it was written; a row that comes back, because a copy missed its deletion, does no harm.
    Transient,
}

/// A table. Compared by name.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Table {
    pub name: &'static str,
    pub keyspace: Keyspace,
    pub pattern: Pattern,
    pub partition: &'static [Column],
    pub clustering: &'static [Column],
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

const fn int(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Int }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Text }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Bytes }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $ident:ident = $keyspace:ident $pattern:ident $name:literal [$($p:expr),*] [$($c:expr),*];)*) => {
        $($(#[$doc])* pub static $ident: Table = Table {
            name: $name, keyspace: Keyspace::$keyspace, pattern: Pattern::$pattern,
            partition: &[$($p),*], clustering: &[$($c),*],
        };)*
        /// All tables, for schema creation.
        pub static ALL: &[&Table] = &[$(&$ident),*];
    };
}

/// Data tables of earlier versions: whoever opens a store drops them, with what they may hold of somebody.
pub static RETIRED: &[&str] = &["sessions"];

// Tenant and project ids are 64 bits without sign; as columns they are the same bits with a sign.
tables! {
    /// Who owns a log partition and how far its effects are: [`crate::row::PartitionControl`].
    PARTITION_CONTROL = Control Changing "partition_control" [text("topic"), int("partition")] [];
    /// [`crate::row::Project`]. One partition (`"all"`): an installation has thousands, not millions.
    PROJECTS = Control Changing "projects" [text("realm")] [int("project")];
    /// [`crate::row::SecretKey`] by the hash of the key.
    SECRET_KEYS = Control Changing "secret_keys" [bytes("hash")] [];
    /// The same rows by project, to list and revoke them.
    PROJECT_SECRET_KEYS = Control Changing "project_secret_keys" [int("tenant"), int("project")] [bytes("hash")];
    /// What people did with a project's issues: [`crate::row::IssueState`], beside them one [`crate::row::IssueMerges`], and a mark that is another one after each
    /// change.
    ISSUE_STATES = Control Changing "issue_states" [int("tenant"), int("project")] [bytes("issue")];
    /// Rules of a project's alerts: [`crate::row::AlertRule`], and beside them one [`crate::row::AlertSettings`].
    ALERT_RULES = Control Changing "alert_rules" [int("tenant"), int("project")] [bytes("rule")];
    /// What a rule remembers of an issue, with what is still to be told: [`crate::row::AlertState`]. Beside them the rows of the
    /// project's evaluator, see [`crate::alert::key`].
    ALERT_STATES = Control Changing "alert_states" [int("tenant"), int("project")] [bytes("rule"), bytes("subject")];
    /// Where a project's alerts go: [`crate::row::AlertChannel`].
    ALERT_CHANNELS = Control Changing "alert_channels" [int("tenant"), int("project")] [bytes("channel")];
    /// A project's connection to Jira ([`crate::row::JiraConnection`]), the Jira issues of its issues ([`crate::row::JiraLink`]), and what leads to
    /// them: see [`crate::jira`].
    JIRA = Control Changing "jira" [int("tenant"), int("project")] [text("kind"), bytes("id")];
    /// Small named values of the installation.
    INSTALLATION = Control Changing "installation" [text("name")] [];

    /// A session's summary and fold state, in two alternating slots: [`crate::row::SessionState`].
    SESSION_STATE = Data Changing "session_state" [int("tenant"), int("project"), bytes("session")] [int("slot")];
    /// The session's random data key, wrapped: [`crate::row::SessionKey`].
    SESSION_KEYS = Data Changing "session_keys" [int("tenant"), int("project"), bytes("session")] [];
    /// Sessions by day and start; the value is empty.
    SESSIONS_BY_START = Data Expiring "sessions_by_start"
        [int("tenant"), int("project"), int("day"), int("shard")] [int("start_ms"), bytes("session")];
    /// Sessions that have a value of a facet (`user`, `email`, `ip`, `page`, `release`); the value is empty.
    SESSION_FACETS = Data Changing "session_facets"
        [int("tenant"), int("project"), text("facet"), text("value"), int("day"), int("shard")]
        [int("start_ms"), bytes("session")];
    /// A batch's signals, normalized, sealed with the session's key: [`crate::row::EventChunk`].
    SESSION_EVENTS = Data Expiring "session_events"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("seq")];
    /// Where a batch's dom frame is: [`crate::row::Frame`].
    SESSION_FRAMES = Data Transient "session_frames"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("seq")];
    /// Where a compacted range of a stream is: [`crate::row::Block`].
    SESSION_BLOCKS = Data Expiring "session_blocks"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("first_seq")];
    /// Sessions of a log partition that are not compacted yet, by the slice of time in which a flush wrote of them:
    /// [`crate::row::OpenSession`]. A session with flushes in several slices is in each.
    OPEN_SESSIONS = Data Transient "open_sessions" [text("topic"), int("partition"), int("slice")] [bytes("session")];
    /// The slices in which [`OPEN_SESSIONS`] may have rows; the value is empty.
    OPEN_SLICES = Data Transient "open_slices" [text("topic"), int("partition")] [int("slice")];
    /// Records that could not be processed: [`crate::row::DeadLetter`].
    DEAD_LETTERS = Data Changing "dead_letters" [int("tenant"), int("project")] [int("partition"), int("offset")];
    /// What a log partition took in on a day, in two alternating slots, merged over the partitions on read:
    /// [`crate::row::IntakeCounts`].
    INTAKE_COUNTS = Data Changing "intake_counts" [int("tenant"), int("project"), int("day")] [int("partition"), int("slot")];
    /// What a log partition tells of an issue, in two alternating slots, merged over the partitions on read:
    /// [`crate::row::IssueTotals`].
    ISSUES = Data Changing "issues"
        [int("tenant"), int("project"), int("shard")] [bytes("issue"), int("partition"), int("slot")];
    /// Which issues a flush of a log partition changed, by the day on which it was written and where it ended: [`crate::row::IssueChanges`].
    /// Whoever keeps totals in memory follows these.
    ISSUE_CHANGES = Data Expiring "issue_changes"
        [int("tenant"), int("project"), int("partition"), int("day")] [int("next_offset")];
    /// Whom an issue happened to, by a pseudonym of the issue; the value is sealed (16 bytes): see [`crate::issue::visitor`].
    ISSUE_USERS = Data Changing "issue_users"
        [int("tenant"), int("project"), bytes("issue"), int("shard")] [bytes("user")];
    /// How long a project's requests and page loads take, by log partition and in levels that follow from each other:
    /// [`crate::row::Performance`], see [`crate::performance::key`].
    PERFORMANCE = Data Changing "performance"
        [int("tenant"), int("project"), int("level"), int("bucket"), int("shard")] [int("partition"), int("unit"), int("slot")];
    /// What endpoints and pages are called, on behalf of a session each: see [`crate::performance::name`]. The value is the name.
    PERFORMANCE_NAMES = Data Changing "performance_names"
        [int("tenant"), int("project"), int("shard")] [bytes("name"), bytes("session")];
    /// Source maps of a project and what leads to them: see [`crate::source_map::key`]. [`crate::row::SourceMapArtifact`] by its id,
    /// [`crate::row::SourceMapRef`] by debug id and by release and path.
    SOURCE_MAPS = Data Changing "source_maps" [int("tenant"), int("project")] [text("kind"), bytes("id")];
    /// What must never be shown or stored again: [`crate::row::Suppression`]. Outlives the log.
    SUPPRESSIONS = Data Changing "suppressions"
        [int("tenant"), int("project"), int("shard")] [text("kind"), bytes("id")];
    /// Each try to tell somebody of an alert: [`crate::row::AlertAttempt`].
    ALERT_DELIVERIES = Data Expiring "alert_deliveries"
        [int("tenant"), int("project"), int("day")] [int("time_ms"), bytes("id")];
    /// Objects written, so that dead ones can be found: [`crate::row::Object`], in parts by its sessions.
    OBJECTS = Data Changing "objects" [int("day"), text("name")] [int("part")];
}
