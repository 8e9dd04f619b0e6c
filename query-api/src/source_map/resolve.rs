//! The stack of an error with the places where its calls were written.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use playhead_domain::issue::origin;
use playhead_domain::source_map::debug_id::DebugId;
use playhead_domain::source_map::map::Original;
use serde::Deserialize;
use serde_json::Value;

use super::find::{Finder, Found};
use crate::error::ApiError;
use crate::model::source_map::{ErrorStack, MissingSource, OriginalFrame, SourceExcerpt, StackFrame};

/// Lines before and behind the one that is shown.
const AROUND: u32 = 5;
/// Scripts of one error whose maps are looked for; a stack has some.
const MAX_FILES: usize = 60;
const CONCURRENT_LOOKUPS: usize = 8;
/// Names of one or two characters are a minifier's.
const MINIFIED_BYTES: usize = 2;

/// What an error's event has of its stacks.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StoredError {
    frames: Vec<StoredFrame>,
    causes: Vec<Value>,
    errors: Vec<Value>,
    debug_ids: BTreeMap<String, Value>,
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
    pub(crate) fn debug_ids(&self) -> BTreeMap<String, DebugId> {
        let parsed = |(url, id): (&String, &Value)| Some((url.clone(), id.as_str()?.parse().ok()?));
        self.debug_ids.iter().filter_map(parsed).collect()
    }
}

/// Finds the maps and applies them.
pub(crate) async fn stacks(finder: &Finder<'_>, error: StoredError) -> Result<ErrorStack, ApiError> {
    // Causes are as the page sent them where the processor found none.
    let inner = |causes: Vec<Value>| -> Vec<Vec<StoredFrame>> {
        let frames = |cause| serde_json::from_value::<StoredCause>(cause).unwrap_or_default().frames;
        causes.into_iter().map(frames).collect()
    };
    let (causes, errors) = (inner(error.causes), inner(error.errors));
    let all = error.frames.iter().chain(causes.iter().flatten()).chain(errors.iter().flatten());
    let files: BTreeSet<String> =
        all.filter(|frame| frame.may_be_mapped()).map(|frame| frame.file.clone()).collect();
    let lookups = files.into_iter().take(MAX_FILES).map(|file| async move {
        let found = finder.map_of(&file).await?;
        Ok::<_, ApiError>((file, found))
    });
    let maps: BTreeMap<String, Found> =
        futures::stream::iter(lookups).buffered(CONCURRENT_LOOKUPS).try_collect().await?;
    let present = |frames: Vec<StoredFrame>| -> Vec<StackFrame> {
        frames.into_iter().map(|frame| present(frame, &maps)).collect()
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

fn present(frame: StoredFrame, maps: &BTreeMap<String, Found>) -> StackFrame {
    let found = if frame.may_be_mapped() { maps.get(&frame.file) } else { None };
    let (original, missing, detail) = match found {
        None => (None, None, None),
        Some(Found::NoRelease) => (None, Some(MissingSource::NoRelease), None),
        Some(Found::NoMap) => (None, Some(MissingSource::NoMap), None),
        Some(Found::Map(Err(broken))) => (None, Some(MissingSource::BrokenMap), Some(broken.to_string())),
        Some(Found::Map(Ok(map))) => match map.original(frame.line, frame.column) {
            None => (None, Some(MissingSource::NotMapped), None),
            Some(original) => {
                let missing = original.excerpt(0).is_none().then_some(MissingSource::NoSource);
                (Some(original), missing, None)
            }
        },
    };
    let in_app =
        original.map_or(frame.in_app, |original| !original.is_ignored && origin::is_of_page(original.file));
    // Nobody has maps of what others wrote.
    let missing = missing.filter(|_| in_app);
    StackFrame {
        original: original.map(|original| original_frame(&original, &frame.function)),
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

/// The engine's name of a function, unless a minifier gave it.
fn readable(told: &str) -> Option<&str> {
    let last = told.rsplit(['.', '/', ' ']).next().unwrap_or_default();
    (last.len() > MINIFIED_BYTES && !last.contains('<')).then_some(told)
}
