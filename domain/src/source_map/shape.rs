//! Looking a source map through before anything reads it for good: bounded, and only with the members that count.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::debug_id::DebugId;
use super::map::SourceMap;
use super::{Broken, MAX_JOINED, MAX_MAPPINGS, MAX_UPLOAD_BYTES, MAX_VALUES};

/// A map that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The map as JSON, without members that nobody asks for.
    pub json: String,
    pub debug_id: Option<DebugId>,
    pub mappings: u64,
    pub sources: u64,
    /// How many sources have their content in the map.
    pub contents: u64,
    /// Names and sources.
    named: usize,
    rooted_bytes: usize,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow, rename = "sourceRoot")]
    source_root: Option<&'a RawValue>,
    #[serde(borrow)]
    sources: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "sourcesContent")]
    contents: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    names: Option<&'a RawValue>,
    #[serde(borrow)]
    mappings: Option<&'a RawValue>,
    #[serde(borrow, rename = "ignoreList")]
    ignore_list: Option<&'a RawValue>,
    #[serde(borrow, rename = "x_google_ignoreList")]
    old_ignore_list: Option<&'a RawValue>,
    #[serde(borrow)]
    sections: Option<Vec<Section<'a>>>,
    #[serde(borrow, rename = "debugId")]
    debug_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "debug_id")]
    old_debug_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Section<'a> {
    offset: Offset,
    #[serde(borrow)]
    map: Option<Box<Raw<'a>>>,
}

#[derive(Deserialize)]
struct Offset {
    line: u32,
    column: u32,
}

/// Looks a map through.
///
/// # Errors
/// [`Broken`]: what is wrong with it.
pub fn check(json: &str) -> Result<Checked, Broken> {
    let json = without_guard(json);
    if values(json) > MAX_VALUES {
        return Err(Broken::TooMany { what: "values", limit: MAX_VALUES });
    }
    let raw: Raw<'_> = serde_json::from_str(json).map_err(|error| Broken::Json(error.to_string()))?;
    if raw.version.map(RawValue::get) != Some("3") {
        return Err(Broken::Version(
            raw.version.map_or("none", |version| shortened(version.get())).to_owned(),
        ));
    }
    let debug_id =
        raw.debug_id.or(raw.old_debug_id).and_then(|id| serde_json::from_str::<String>(id.get()).ok());
    let mut checked = Checked {
        json: String::with_capacity(json.len()),
        debug_id: debug_id.and_then(|id| id.parse().ok()),
        mappings: 0,
        sources: 0,
        contents: 0,
        named: 0,
        rooted_bytes: 0,
    };
    checked.write(&raw)?;
    drop(raw);
    SourceMap::read(&checked.json, "")?;
    Ok(checked)
}

/// What some servers put before JSON so that it is no script: `)]}'` and the rest of the line.
fn without_guard(json: &str) -> &str {
    let json = json.trim_start_matches('\u{feff}');
    if !json.starts_with([')', ']', '}', '\'']) {
        return json;
    }
    json.find('\n').map_or("", |end| &json[end + 1..])
}

/// An upper bound of the JSON's values: commas outside of texts, and one.
fn values(json: &str) -> usize {
    let (mut commas, mut in_text, mut is_escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b',' if !in_text => commas += 1,
            _ => {}
        }
    }
    commas
}

fn shortened(text: &str) -> &str {
    crate::session::fold::cut(text, 20)
}

impl Checked {
    fn write(&mut self, raw: &Raw<'_>) -> Result<(), Broken> {
        self.json.push_str("{\"version\":3");
        match &raw.sections {
            Some(sections) => {
                self.write_sections(sections)?;
                // They are joined by a map whose hashes are known to whoever wants them to be equal.
                if self.named > MAX_JOINED {
                    return Err(Broken::TooMany { what: "names and sources in sections", limit: MAX_JOINED });
                }
            }
            None => self.write_map(raw)?,
        }
        self.json.push('}');
        Ok(())
    }

    fn write_sections(&mut self, sections: &[Section<'_>]) -> Result<(), Broken> {
        self.json.push_str(",\"sections\":[");
        for (index, section) in sections.iter().enumerate() {
            let map = section.map.as_ref().ok_or(Broken::SectionWithoutMap(index))?;
            let Offset { line, column } = section.offset;
            let comma = if index > 0 { "," } else { "" };
            self.json
                .push_str(&format!("{comma}{{\"offset\":{{\"line\":{line},\"column\":{column}}},\"map\":"));
            self.write(map)?;
            self.json.push('}');
        }
        self.json.push(']');
        Ok(())
    }

    fn write_map(&mut self, raw: &Raw<'_>) -> Result<(), Broken> {
        let mappings = raw.mappings.ok_or(Broken::Empty)?;
        if mappings.get().contains('\\') {
            // Base 64 needs none, and what they stand for would not be counted.
            return Err(Broken::Inconsistent("its mappings hold escapes".to_owned()));
        }
        let count = mappings.get().bytes().filter(|byte| matches!(byte, b',' | b';')).count() + 1;
        self.mappings += count as u64;
        if self.mappings > MAX_MAPPINGS as u64 {
            return Err(Broken::TooMany { what: "mappings", limit: MAX_MAPPINGS });
        }
        let sources = raw.sources.as_deref().unwrap_or_default();
        let contents = raw.contents.as_deref().unwrap_or_default();
        self.sources += sources.len() as u64;
        self.count_rooted(raw.source_root, sources)?;
        self.named += sources.len() + raw.names.map_or(0, |names| values(names.get()));
        let null = |value: &&&RawValue| value.get() == "null";
        self.contents += (contents.len().min(sources.len())
            - contents.iter().take(sources.len()).filter(null).count()) as u64;
        for (name, value) in [
            ("sourceRoot", raw.source_root),
            ("names", raw.names),
            ("ignoreList", raw.ignore_list.or(raw.old_ignore_list)),
        ] {
            if let Some(value) = value {
                self.json.push_str(&format!(",\"{name}\":"));
                self.json.push_str(value.get());
            }
        }
        self.write_list("sources", sources.iter().map(|source| source.get()));
        // One for each source: readers pair them.
        let nothing = std::iter::repeat("null");
        self.write_list(
            "sourcesContent",
            contents.iter().map(|content| content.get()).chain(nothing).take(sources.len()),
        );
        self.json.push_str(",\"mappings\":");
        self.json.push_str(mappings.get());
        Ok(())
    }

    /// A reader puts the root before every source.
    fn count_rooted(&mut self, root: Option<&RawValue>, sources: &[&RawValue]) -> Result<(), Broken> {
        let root = root.map_or(0, |root| root.get().len());
        self.rooted_bytes = self.rooted_bytes.saturating_add(root.saturating_mul(sources.len()));
        if self.rooted_bytes > MAX_UPLOAD_BYTES {
            return Err(Broken::TooMany {
                what: "bytes of sourceRoot before all sources",
                limit: MAX_UPLOAD_BYTES,
            });
        }
        Ok(())
    }

    fn write_list<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        self.json.push_str(&format!(",\"{name}\":["));
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.json.push(',');
            }
            self.json.push_str(value);
        }
        self.json.push(']');
    }
}
