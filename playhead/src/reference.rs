//! The reference of all settings, made from the defaults and from the comments beside the settings.

use std::fmt::Write;

use anyhow::Context;
use toml::{Table, Value};

use crate::config::Config;

/// The sources whose settings are listed, by section. Their comments are the descriptions.
const SOURCES: [(&str, &str); 11] = [
    ("", include_str!("config.rs")),
    ("http", include_str!("config.rs")),
    ("telemetry", include_str!("telemetry.rs")),
    ("batches", include_str!("config.rs")),
    ("gateway", include_str!("../../gateway/src/config.rs")),
    ("processor", include_str!("../../stream-processor/src/config.rs")),
    ("query_api", include_str!("../../query-api/src/config.rs")),
    ("log", include_str!("../../backends/src/log/embedded/config.rs")),
    ("store", include_str!("../../backends/src/store/embedded/config.rs")),
    ("kafka", include_str!("../../backends/src/log/kafka/config.rs")),
    ("scylla", include_str!("../../backends/src/store/scylla/config.rs")),
];
const BLOBS: (&str, &str) = ("blobs", include_str!("../../backends/src/blobs/config.rs"));

const HEAD: &str = "# Configuration

<!-- Printed by `playhead config`; a test keeps this file equal. -->

Settings come from, in this order: the defaults below, a TOML file (`playhead up --config FILE`), environment variables,
the command line. A variable is `PLAYHEAD_` and the name in capitals, with two underscores between section and setting:
`[processor] flush_interval_ms` is `PLAYHEAD_PROCESSOR__FLUSH_INTERVAL_MS`. Unknown settings are refused.

Two secrets come from the environment only, or else from files that the first start of `playhead up` makes in the data folder:
`PLAYHEAD_ADMIN_TOKEN` (the administrator's bearer token; file `admin.token`) and `PLAYHEAD_INSTALLATION_KEY` (64 hex
digits from which every other key derives; file `installation.key`). Back the key up: without it no recording opens. The processes
of the scaled shape have no data folder: give each the same key, and each query-api the same token.

`[log]` and `[store]` are the embedded engines of `playhead up`; with `kafka.brokers` or `scylla.nodes` set it uses those instead. The
services apart (`playhead gateway`, `stream-processor`, `query-api`) need `kafka.brokers`, and but for the gateway `scylla.nodes` and `blobs.url`.
";

/// The reference as Markdown.
///
/// # Errors
/// When the defaults cannot be written as TOML, which no input causes.
pub(crate) fn markdown() -> anyhow::Result<String> {
    let defaults = Table::try_from(Config::default()).context("the defaults cannot be written")?;
    let mut text = HEAD.to_owned();
    for (section, source) in SOURCES.into_iter().chain([BLOBS]) {
        let table = if section.is_empty() {
            Some(&defaults)
        } else {
            defaults.get(section).and_then(Value::as_table)
        };
        let Some(table) = table else { continue };
        let title = if section.is_empty() { "Top level".to_owned() } else { format!("`[{section}]`") };
        write!(text, "\n## {title}\n\n| setting | default | what it does |\n|---|---|---|\n")?;
        list(&mut text, "", table, source)?;
    }
    Ok(text)
}

fn list(text: &mut String, prefix: &str, table: &Table, source: &str) -> anyhow::Result<()> {
    for (name, value) in table {
        match value {
            Value::Table(inner) if prefix.is_empty() && matches!(name.as_str(), "quota" | "smtp") => {
                list(text, &format!("{name}."), inner, source)?
            }
            Value::Table(_) => {}
            value => {
                let description = description(source, name).replace('|', "\\|");
                writeln!(text, "| `{prefix}{name}` | `{value}` | {description} |")?;
            }
        }
    }
    Ok(())
}

/// The comment above the field of that name.
fn description(source: &str, field: &str) -> String {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_field = |line: &&str| {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        line.strip_prefix(field).is_some_and(|rest| rest.starts_with(": ") && rest.ends_with(','))
    };
    let Some(at) = lines.iter().position(|line| line.starts_with("pub") && is_field(line)) else {
        return String::new();
    };
    let comments =
        lines[..at].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
    let mut words: Vec<&str> = comments.filter_map(|line| line.strip_prefix("///")).map(str::trim).collect();
    words.reverse();
    words.join(" ").replace("[`Config::", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_reference_is_what_the_code_makes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let generated = markdown().unwrap();
        if std::env::var_os("PLAYHEAD_WRITE_REFERENCE").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == generated,
            "docs/configuration.md is stale: run `PLAYHEAD_WRITE_REFERENCE=1 cargo test -p playhead reference`"
        );
    }

    #[test]
    fn settings_are_described_by_their_comments() {
        let text = markdown().unwrap();
        assert!(
            text.contains("| `listen` | `\"127.0.0.1:7700\"` | Address and port to listen on. |"),
            "{text}"
        );
        assert!(text.contains("`quota.rate_bytes_per_s`") && text.contains("`flush_interval_ms`"));
    }
}
