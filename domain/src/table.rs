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

/// A table. Compared by name.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Table {
    pub name: &'static str,
    pub keyspace: Keyspace,
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
    ($($(#[$doc:meta])* $ident:ident = $keyspace:ident $name:literal [$($p:expr),*] [$($c:expr),*];)*) => {
        $($(#[$doc])* pub static $ident: Table = Table {
            name: $name, keyspace: Keyspace::$keyspace, partition: &[$($p),*], clustering: &[$($c),*],
        };)*
        /// All tables, for schema creation.
        pub static ALL: &[&Table] = &[$(&$ident),*];
    };
}

// Tenant and project ids are 64 bits without sign; as columns they are the same bits with a sign.
tables! {
    /// Who owns a log partition and how far its effects are: [`crate::row::PartitionControl`].
    PARTITION_CONTROL = Control "partition_control" [text("topic"), int("partition")] [];
    /// [`crate::row::Project`]. One partition (`"all"`): an installation has thousands, not millions.
    PROJECTS = Control "projects" [text("realm")] [int("project")];
    /// [`crate::row::SecretKey`] by the hash of the key.
    SECRET_KEYS = Control "secret_keys" [bytes("hash")] [];
    /// The same rows by project, to list and revoke them.
    PROJECT_SECRET_KEYS = Control "project_secret_keys" [int("tenant"), int("project")] [bytes("hash")];
    /// Small named values of the installation.
    INSTALLATION = Control "installation" [text("name")] [];

    /// Fold state in two alternating slots: [`crate::row::SessionState`].
    SESSION_STATE = Data "session_state" [int("tenant"), int("project"), bytes("session")] [int("slot")];
    /// The session's random data key, wrapped: [`crate::row::SessionKey`].
    SESSION_KEYS = Data "session_keys" [int("tenant"), int("project"), bytes("session")] [];
    /// [`crate::row::SessionSummary`] by id.
    SESSIONS = Data "sessions" [int("tenant"), int("project"), bytes("session")] [];
    /// The same summary by day and start.
    SESSIONS_BY_START = Data "sessions_by_start"
        [int("tenant"), int("project"), int("day"), int("shard")] [int("start_ms"), bytes("session")];
    /// Sessions that have a value of a facet (`user`, `email`, `ip`, `page`, `release`); the value is empty.
    SESSION_FACETS = Data "session_facets"
        [int("tenant"), int("project"), text("facet"), text("value"), int("day")] [int("start_ms"), bytes("session")];
    /// A batch's signals, normalized, sealed with the session's key: [`crate::row::EventChunk`].
    SESSION_EVENTS = Data "session_events"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("seq")];
    /// Where a batch's dom frame is: [`crate::row::Frame`].
    SESSION_FRAMES = Data "session_frames"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("seq")];
    /// Where a compacted range of a stream is: [`crate::row::Block`].
    SESSION_BLOCKS = Data "session_blocks"
        [int("tenant"), int("project"), bytes("session")] [bytes("stream"), int("first_seq")];
    /// Sessions of a log partition that are not compacted yet: [`crate::row::OpenSession`].
    OPEN_SESSIONS = Data "open_sessions" [text("topic"), int("partition")] [bytes("session")];
    /// Records that could not be processed: [`crate::row::DeadLetter`].
    DEAD_LETTERS = Data "dead_letters" [int("tenant"), int("project")] [int("partition"), int("offset")];
    /// What one flush of one log partition took in, merged on read: [`crate::row::IntakeCounts`].
    INTAKE_COUNTS = Data "intake_counts" [int("tenant"), int("project"), int("day")] [int("partition"), int("offset")];
    /// What must never be shown or stored again: [`crate::row::Suppression`]. Outlives the log.
    SUPPRESSIONS = Data "suppressions" [int("tenant"), int("project")] [text("kind"), bytes("id")];
    /// Objects written, so that dead ones can be found: [`crate::row::Object`].
    OBJECTS = Data "objects" [int("day")] [text("name")];
}
