//! Source maps, and stacks as they make them readable. Times are milliseconds of the Unix epoch; what is not known is null.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A bundle with its map. At least one of `release` and a debug id (in the map, or at the end of `code`) must be there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSourceMap<'a> {
    /// As the page tells it to the SDK; empty or left out: the map is found by its debug id alone.
    #[serde(default)]
    pub release: String,
    /// Of the bundle, as it is deployed: `assets/index.js`. Directories before it and the host do not matter.
    pub path: String,
    /// The bundle. Functions get their names with it, and a map inside it is found.
    #[serde(default, borrow)]
    pub code: std::borrow::Cow<'a, str>,
    /// The source map itself. May be left out when it is inside `code`.
    #[serde(borrow)]
    #[schema(value_type = Option<std::collections::HashMap<String, serde_json::Value>>)]
    pub map: Option<&'a RawValue>,
}

/// A source map that is stored.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceMap {
    /// 32 hexadecimal digits.
    pub id: String,
    pub release: Option<String>,
    pub path: String,
    pub debug_id: Option<String>,
    pub uploaded_at: i64,
    /// Later, if it is used until then.
    pub expires_at: i64,
    pub stored_bytes: u64,
    pub raw_bytes: u64,
    pub mappings: u64,
    pub sources: u64,
    /// How many sources have their content in the map; only those show lines.
    pub sources_with_content: u64,
}

/// Source maps of a project, the newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceMapPage {
    pub items: Vec<SourceMap>,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
    /// More maps are stored than one request looks at.
    pub partial: bool,
}

/// How many were deleted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeletedSourceMaps {
    pub deleted: u64,
}

/// The stack of an error, and those of its causes and parts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorStack {
    pub release: Option<String>,
    pub frames: Vec<StackFrame>,
    /// Of each cause, in the order of the error's `causes`.
    pub causes: Vec<Vec<StackFrame>>,
    /// Of each part of an `AggregateError`, in the order of the error's `errors`.
    pub errors: Vec<Vec<StackFrame>>,
}

/// A call, as the engine told it and as it was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StackFrame {
    pub function: Option<String>,
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// From 1, in UTF-16 units.
    pub column: Option<u32>,
    /// `script`, `eval`, `native`, `wasm`, `blob`, `data` or `extension`.
    pub kind: String,
    /// The page's own code; of the original file where it is known.
    pub in_app: bool,
    #[serde(rename = "async")]
    pub is_async: bool,
    pub original: Option<OriginalFrame>,
    /// Why there is no original, or no source; null where there is nothing to be missed.
    pub missing: Option<MissingSource>,
    /// What `missing` means here, in words.
    pub missing_detail: Option<String>,
}

/// Where a call was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OriginalFrame {
    /// Null: not known; empty: it has no name.
    pub function: Option<String>,
    /// As the map names it.
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub source: Option<SourceExcerpt>,
}

/// The line with up to five before and behind it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceExcerpt {
    pub first_line: u32,
    pub lines: Vec<String>,
}

/// Why a frame is not shown as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingSource {
    /// The page told neither its release nor a debug id of the script.
    NoRelease,
    /// Nobody uploaded a map of that script.
    NoMap,
    /// The map is there and cannot be read.
    BrokenMap,
    /// The map says nothing of that place.
    NotMapped,
    /// The map does not contain the source.
    NoSource,
}
