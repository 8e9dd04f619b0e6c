//! A source map in memory, and the place that it gives.

use sourcemap::{DecodedMap, SourceView};

use super::Broken;
use crate::issue::naming::Written;

use super::scope::{Position, Scopes};

/// What a mapping takes in memory.
const MAPPING_BYTES: usize = 32;
/// What a text takes beside its bytes.
const TEXT_BYTES: usize = 48;
/// What a line of a source takes that is remembered.
const LINE_BYTES: usize = 16;
const MAX_LINE_BYTES: usize = 300;

/// A map that was read, with the functions of its bundle.
#[derive(Debug)]
pub struct SourceMap {
    map: sourcemap::SourceMap,
    /// Ascending.
    ignored: Vec<u32>,
    scopes: Scopes,
    bytes: usize,
}

/// A place in a source. Lines and columns from 1.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// As the map names it.
    pub file: &'a str,
    pub line: u32,
    /// In UTF-16 units.
    pub column: u32,
    /// The name of the function around it; empty: it has none. `None`: no function of the bundle is there, or the bundle is not known.
    pub function: Option<&'a str>,
    /// The bundler says that it is nobody's own code.
    pub is_ignored: bool,
    content: Option<&'a SourceView>,
}

/// Lines of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// From 1.
    pub first_line: u32,
    /// Long ones are cut.
    pub lines: Vec<String>,
}

impl SourceMap {
    /// Reads a map that [`super::shape::check`] wrote, and the functions of its bundle.
    ///
    /// # Errors
    /// [`Broken::Inconsistent`].
    pub fn read(json: &str, code: &str) -> Result<Self, Broken> {
        let inconsistent = |error: sourcemap::Error| Broken::Inconsistent(error.to_string());
        let map = match sourcemap::decode_slice(json.as_bytes()).map_err(inconsistent)? {
            DecodedMap::Regular(map) => map,
            DecodedMap::Index(index) => index.flatten().map_err(inconsistent)?,
            DecodedMap::Hermes(_) => return Err(Broken::Inconsistent("it is a map of bytecode".to_owned())),
        };
        let scopes = Scopes::read(code, |position, name| name_at(&map, position).unwrap_or(name).to_owned());
        let texts: usize = map.sources().chain(map.names()).map(|text| text.len() + TEXT_BYTES).sum();
        let contents: usize = map.source_contents().flatten().map(content_bytes).sum();
        let mappings = map.get_token_count() as usize * MAPPING_BYTES;
        let bytes = mappings + texts + contents + scopes.bytes();
        Ok(Self { ignored: map.ignore_list().copied().collect(), map, scopes, bytes })
    }

    /// Without the texts of the sources, which only who shows them needs.
    #[must_use]
    pub fn without_contents(mut self) -> Self {
        let contents: usize = self.map.source_contents().flatten().map(content_bytes).sum();
        for source in 0..self.map.get_source_count() {
            self.map.set_source_contents(source, None);
        }
        self.bytes -= contents;
        self
    }

    /// A place as it was written; line and column as in [`Self::original`].
    #[must_use]
    pub fn written(&self, line: u32, column: u32) -> Option<Written> {
        self.original(line, column).map(|original| Written {
            function: original.function.map(str::to_owned),
            file: original.file.to_owned(),
            line: original.line,
            column: original.column,
            is_ignored: original.is_ignored,
        })
    }

    /// About how much memory it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where a place of the bundle comes from; line and column from 1, the column in UTF-16 units as engines write it.
    #[must_use]
    pub fn original(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let position = Position { line: line.checked_sub(1)?, column: column.saturating_sub(1) };
        let token = self.map.lookup_token(position.line, position.column)?;
        if token.get_dst_line() != position.line {
            return None;
        }
        Some(Original {
            file: token.get_source()?,
            line: token.get_src_line().checked_add(1)?,
            column: token.get_src_col().checked_add(1)?,
            function: self.scopes.at(position),
            is_ignored: self.ignored.binary_search(&token.get_src_id()).is_ok(),
            content: self.map.get_source_view(token.get_src_id()),
        })
    }
}

/// Lines of a source are found once and remembered.
fn content_bytes(content: &str) -> usize {
    let lines = content.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    content.len() + TEXT_BYTES + lines * LINE_BYTES
}

/// The name that the map gives to exactly this place.
fn name_at(map: &sourcemap::SourceMap, position: Position) -> Option<&str> {
    let token = map.lookup_token(position.line, position.column)?;
    (token.get_dst() == (position.line, position.column)).then(|| token.get_name())?
}

impl Original<'_> {
    /// The line with `around` lines before and behind it; `None` when the map has not the source, or not that line.
    #[must_use]
    pub fn excerpt(&self, around: u32) -> Option<Excerpt> {
        let content = self.content?;
        let at = self.line - 1;
        content.get_line(at)?;
        let first = at.saturating_sub(around);
        let lines = (first..=at.saturating_add(around)).map_while(|line| content.get_line(line));
        Some(Excerpt { first_line: first + 1, lines: lines.map(shortened).collect() })
    }
}

fn shortened(line: &str) -> String {
    match crate::session::fold::cut(line, MAX_LINE_BYTES) {
        whole if whole.len() == line.len() => whole.to_owned(),
        part => format!("{part}…"),
    }
}
