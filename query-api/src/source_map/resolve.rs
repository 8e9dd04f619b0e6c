//! The stack of an error with the places where its calls were written.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::issue::naming::readable;
use playhead_domain::issue::{MAX_CAUSES, origin};
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::map::Original;
use serde::Deserialize;
use serde_json::Value;

use super::find::{Finder, Found};
use crate::error::ApiError;
use crate::model::source_map::{ErrorStack, MissingSource, OriginalFrame, SourceExcerpt, StackFrame};
use crate::turn;

/// Lines before and behind the one that is shown.
const AROUND: u32 = 5;
/// Scripts of one error whose maps are looked for; a stack has some.
const MAX_FILES: usize = 60;
/// Frames of one error that are looked up, those of its causes included.
const MAX_FRAMES: usize = 1_000;

/// What an error's event has of its stacks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredError {
    frames: Vec<StoredFrame>,
    causes: Vec<Value>,
    errors: Vec<Value>,
    debug_ids: BTreeMap<String, Value>,
    /// Where it happened.
    url: Value,
}

/// A frame as the processor wrote it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct StoredFrame {
    function: String,
    file: String,
    line: u32,
    column: u32,
    kind: String,
    in_app: bool,
    #[serde(rename = "async")]
    is_async: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredCause {
    frames: Vec<StoredFrame>,
}

impl StoredError {
    pub(crate) fn page_url(&self) -> String {
        self.url.as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn debug_ids(&self) -> BTreeMap<String, DebugId> {
        let parsed = |(url, id): (&String, &Value)| Some((url.clone(), id.as_str()?.parse().ok()?));
        self.debug_ids.iter().filter_map(parsed).collect()
    }
}

/// A place of a script, and the name that the engine gave to the function there.
type Place = (u32, u32, String);

/// What a script's map says of a place.
#[derive(Debug, Clone, Default)]
struct Written {
    original: Option<OriginalFrame>,
    /// Whether it is the page's own code; `None`: the engine's address tells.
    in_app: Option<bool>,
    missing: Option<MissingSource>,
    detail: Option<String>,
}

/// Finds the maps and applies them.
pub(crate) async fn stacks(finder: &Finder<'_>, error: StoredError) -> Result<ErrorStack, ApiError> {
    // Causes are as the page sent them where the processor found none.
    let inner = |causes: Vec<Value>| -> Vec<Vec<StoredFrame>> {
        let frames = |cause| serde_json::from_value::<StoredCause>(cause).unwrap_or_default().frames;
        causes.into_iter().take(MAX_CAUSES).map(frames).collect()
    };
    let (causes, errors) = (inner(error.causes), inner(error.errors));
    let all = error.frames.iter().chain(causes.iter().flatten()).chain(errors.iter().flatten());
    let mut places: BTreeMap<&str, BTreeSet<Place>> = BTreeMap::new();
    for frame in all.filter(|frame| frame.may_be_mapped()).take(MAX_FRAMES) {
        let place = (frame.line, frame.column, frame.function.clone());
        places.entry(&frame.file).or_default().insert(place);
    }
    let mut written: BTreeMap<(String, Place), Written> = BTreeMap::new();
    // A map may take a hundred MB: it goes before the next one comes.
    for (file, places) in places.into_iter().take(MAX_FILES) {
        let found = finder.map_of(file).await?;
        let told = turn::apart(move || {
            places.into_iter().map(|place| (written_at(&found, &place), place)).collect::<Vec<_>>()
        });
        let told = told.await?;
        written.extend(told.into_iter().map(|(written, place)| ((file.to_owned(), place), written)));
    }
    let present = |frames: Vec<StoredFrame>| -> Vec<StackFrame> {
        frames.into_iter().map(|frame| present(frame, &written)).collect()
    };
    Ok(ErrorStack {
        release: Some(finder.release.to_owned()).filter(|release| !release.is_empty()),
        frames: present(error.frames),
        causes: causes.into_iter().map(present).collect(),
        errors: errors.into_iter().map(present).collect(),
    })
}

impl StoredFrame {
    fn may_be_mapped(&self) -> bool {
        self.kind == "script" && self.line > 0 && self.column > 0
    }
}

fn written_at(found: &Found, (line, column, function): &Place) -> Written {
    let missing = |missing| Written { missing: Some(missing), ..Written::default() };
    match found {
        Found::NoRelease => missing(MissingSource::NoRelease),
        Found::NoMap => missing(MissingSource::NoMap),
        Found::Map(Err(broken)) => {
            Written { detail: Some(broken.to_string()), ..missing(MissingSource::BrokenMap) }
        }
        Found::Map(Ok(map)) => match map.original(*line, *column) {
            None => missing(MissingSource::NotMapped),
            Some(original) => Written {
                in_app: Some(!original.is_ignored && origin::is_of_page(original.file)),
                missing: original.excerpt(0).is_none().then_some(MissingSource::NoSource),
                original: Some(original_frame(&original, function)),
                detail: None,
            },
        },
    }
}

fn present(frame: StoredFrame, written: &BTreeMap<(String, Place), Written>) -> StackFrame {
    let place = (frame.file.clone(), (frame.line, frame.column, frame.function.clone()));
    let Written { original, in_app, missing, detail } =
        written.get(&place).filter(|_| frame.may_be_mapped()).cloned().unwrap_or_default();
    let in_app = in_app.unwrap_or(frame.in_app);
    // Nobody has maps of what others wrote.
    let missing = missing.filter(|_| in_app);
    StackFrame {
        original,
        function: known(frame.function),
        file: known(frame.file),
        line: Some(frame.line).filter(|&line| line > 0),
        column: Some(frame.column).filter(|&column| column > 0),
        kind: if frame.kind.is_empty() { "script".to_owned() } else { frame.kind },
        in_app,
        is_async: frame.is_async,
        missing_detail: missing.and(detail),
        missing,
    }
}

fn known(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn original_frame(original: &Original<'_>, told: &str) -> OriginalFrame {
    let function = match original.function {
        Some("") => Some(readable(told).unwrap_or_default()),
        Some(name) => Some(name),
        None => readable(told),
    };
    OriginalFrame {
        function: function.map(str::to_owned),
        file: original.file.to_owned(),
        line: original.line,
        column: original.column,
        source: original
            .excerpt(AROUND)
            .map(|excerpt| SourceExcerpt { first_line: excerpt.first_line, lines: excerpt.lines }),
    }
}
