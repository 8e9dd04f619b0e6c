//! The statements, made from the tables' declarations. Only what ScyllaDB and Cassandra both understand.
//!
//! A versioned row is one cell: expiry and value together, so that of two rows with equal versions one wins whole. It is written by
//! `UPDATE`, which leaves no row marker: the row is there exactly while its cell lives. A conditionally written row has two cells,
//! which the conditional write always sets together.

use std::fmt::Write;

use playhead_domain::table::{Column, ColumnType, Keyspace, Pattern, Table};

use super::range::Shape;

/// What is done to a table: with the table's name the key under which a prepared statement is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Put,
    Delete,
    DeletePartition,
    Get,
    GetSerial,
    Scan(Shape),
    /// Sets a row that is exactly this, or is absent.
    Replace,
    /// Sets a row that has this value and has not expired.
    SwapLive,
    /// Removes such a row.
    RemoveLive,
}

/// Seconds that deletes are kept so that they reach copies that were away: the servers' default.
const GRACE_S: u32 = 10 * 86_400;
/// For rows whose return does no harm. Longer than the three hours for which nodes keep hints for one that is away.
const TRANSIENT_GRACE_S: u32 = 6 * 3_600;

fn quoted(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| format!("\"{}\"", column.name)).collect()
}

fn equal(columns: &[Column]) -> String {
    quoted(columns).iter().map(|name| format!("{name} = ?")).collect::<Vec<_>>().join(" AND ")
}

fn whole_key(table: &Table) -> String {
    match table.clustering {
        [] => equal(table.partition),
        clustering => format!("{} AND {}", equal(table.partition), equal(clustering)),
    }
}

fn content(table: &Table) -> &'static str {
    match table.keyspace {
        Keyspace::Data => "\"cell\", WRITETIME(\"cell\")",
        Keyspace::Control => "\"value\", \"expires_ms\", WRITETIME(\"value\")",
    }
}

/// The statement for `operation` on `table` in `keyspace`.
pub(super) fn statement(keyspace: &str, table: &Table, operation: Operation) -> String {
    let name = format!("{keyspace}.\"{}\"", table.name);
    let key = whole_key(table);
    match operation {
        Operation::Put => format!("UPDATE {name} USING TIMESTAMP ? AND TTL ? SET \"cell\" = ? WHERE {key}"),
        Operation::Delete => format!("DELETE FROM {name} USING TIMESTAMP ? WHERE {key}"),
        Operation::DeletePartition => {
            format!("DELETE FROM {name} USING TIMESTAMP ? WHERE {}", equal(table.partition))
        }
        Operation::Get | Operation::GetSerial => {
            format!("SELECT {} FROM {name} WHERE {key}", content(table))
        }
        Operation::Scan(shape) => scan(&name, table, shape),
        Operation::Replace => format!(
            "UPDATE {name} USING TTL ? SET \"value\" = ?, \"expires_ms\" = ? WHERE {key} IF \"value\" = ? AND \"expires_ms\" = ?"
        ),
        Operation::SwapLive => format!(
            "UPDATE {name} USING TTL ? SET \"value\" = ?, \"expires_ms\" = ? WHERE {key} IF \"value\" = ? AND \"expires_ms\" > ?"
        ),
        Operation::RemoveLive => {
            format!("DELETE FROM {name} WHERE {key} IF \"value\" = ? AND \"expires_ms\" > ?")
        }
    }
}

fn scan(name: &str, table: &Table, shape: Shape) -> String {
    let clustering = quoted(table.clustering);
    let mut columns = clustering.clone();
    columns.push(content(table).to_owned());
    let mut text = format!("SELECT {} FROM {name} WHERE {}", columns.join(", "), equal(table.partition));
    if let Some(range) = shape.restriction(&clustering) {
        let _ = write!(text, " AND {range}");
    }
    if shape.is_descending && !clustering.is_empty() {
        let _ = write!(text, " ORDER BY {} DESC", clustering.join(" DESC, "));
    }
    text
}

/// The statement that creates a table if it is not there.
pub(super) fn create_table(keyspace: &str, table: &Table) -> String {
    let kind = |column: &Column| match column.kind {
        ColumnType::Int => "bigint",
        ColumnType::Text => "text",
        ColumnType::Bytes => "blob",
    };
    let mut columns: Vec<String> = table
        .partition
        .iter()
        .chain(table.clustering)
        .map(|column| format!("\"{}\" {}", column.name, kind(column)))
        .collect();
    match table.keyspace {
        Keyspace::Data => columns.push("\"cell\" blob".to_owned()),
        Keyspace::Control => {
            columns.extend(["\"value\" blob".to_owned(), "\"expires_ms\" bigint".to_owned()])
        }
    }
    let mut key = vec![format!("({})", quoted(table.partition).join(", "))];
    key.extend(quoted(table.clustering));
    let (columns, key) = (columns.join(", "), key.join(", "));
    format!(
        "CREATE TABLE IF NOT EXISTS {keyspace}.\"{}\" ({columns}, PRIMARY KEY ({key})) WITH {}",
        table.name,
        options(table.pattern)
    )
}

/// Rows that only expire lie in files by week, which go as a whole; the others in levels, where what is written over or deleted
/// goes soon.
fn options(pattern: Pattern) -> String {
    let (compaction, grace_s) = match pattern {
        Pattern::Expiring => (
            "{'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'DAYS', 'compaction_window_size': 7}",
            GRACE_S,
        ),
        Pattern::Changing => ("{'class': 'LeveledCompactionStrategy'}", GRACE_S),
        Pattern::Transient => ("{'class': 'LeveledCompactionStrategy'}", TRANSIENT_GRACE_S),
    };
    format!("compaction = {compaction} AND gc_grace_seconds = {grace_s}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use playhead_domain::table::{PROJECTS, SESSION_FACETS, SESSION_KEYS};

    #[test]
    fn key_columns_are_real_columns() {
        assert_eq!(
            create_table("control", &PROJECTS),
            "CREATE TABLE IF NOT EXISTS control.\"projects\" (\"realm\" text, \"project\" bigint, \"value\" blob, \
             \"expires_ms\" bigint, PRIMARY KEY ((\"realm\"), \"project\")) \
             WITH compaction = {'class': 'LeveledCompactionStrategy'} AND gc_grace_seconds = 864000"
        );
        let facets = create_table("data", &SESSION_FACETS);
        assert!(facets.contains("\"value\" text") && facets.contains("\"cell\" blob"), "{facets}");
    }

    #[test]
    fn every_versioned_write_carries_its_timestamp() {
        for operation in [Operation::Put, Operation::Delete, Operation::DeletePartition] {
            let text = statement("data", &SESSION_KEYS, operation);
            assert!(text.contains("USING TIMESTAMP ?"), "{text}");
        }
        assert_eq!(
            statement("data", &SESSION_KEYS, Operation::Put),
            "UPDATE data.\"session_keys\" USING TIMESTAMP ? AND TTL ? SET \"cell\" = ? \
             WHERE \"tenant\" = ? AND \"project\" = ? AND \"session\" = ?"
        );
    }
}
