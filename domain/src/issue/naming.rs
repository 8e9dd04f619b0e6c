//! Frames as their code was written, where a source map tells.

use super::origin;
use super::stack::{Frame, Kind, Stack};

/// Frames at the top of a stack that are named: an error is one of many, and where it was thrown decides.
pub const MAX_NAMED_FRAMES: usize = 50;
/// Names of one or two characters are a minifier's.
const MINIFIED_BYTES: usize = 2;

/// A place of a bundle as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Empty: it has no name. `None`: not known.
    pub function: Option<String>,
    /// As the map names it.
    pub file: String,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// The bundler says that it is nobody's own code.
    pub is_ignored: bool,
}

/// Whether a source map may know more of a frame.
#[must_use]
pub const fn may_be_named(frame: &Frame) -> bool {
    matches!(frame.kind, Kind::Script) && frame.line > 0 && frame.column > 0 && !frame.is_async
}

/// The stack with the names that `written` has for its frames; `None`: it has none.
pub fn name<'w>(stack: &Stack, written: impl Fn(&Frame) -> Option<&'w Written>) -> Option<Stack> {
    let named: Vec<Option<Frame>> = stack
        .frames
        .iter()
        .take(MAX_NAMED_FRAMES)
        .map(|frame| written(frame).filter(|_| may_be_named(frame)).map(|written| as_written(frame, written)))
        .collect();
    named.iter().any(Option::is_some).then(|| {
        let mut stack = stack.clone();
        for (frame, named) in stack.frames.iter_mut().zip(named) {
            if let Some(named) = named {
                *frame = named;
            }
        }
        stack
    })
}

fn as_written(frame: &Frame, written: &Written) -> Frame {
    let function = match written.function.as_deref() {
        None | Some("") => readable(&frame.function).unwrap_or_default(),
        Some(name) => name,
    };
    let mut named = Frame {
        function: function.to_owned(),
        file: file(&written.file).to_owned(),
        line: written.line,
        column: written.column,
        is_written: true,
        ..frame.clone()
    };
    named.in_app = !written.is_ignored && is_of_page(&named);
    named
}

/// A folder of other people's code may be the first one of a path.
fn is_of_page(named: &Frame) -> bool {
    let is_address = named.file.contains("://") || named.file.starts_with('/');
    let file = if is_address { named.file.clone() } else { format!("/{}", named.file) };
    origin::is_in_app(&Frame { file, ..named.clone() })
}

/// The engine's name of a function, unless a minifier gave it.
#[must_use]
pub fn readable(told: &str) -> Option<&str> {
    let last = told.rsplit(['.', '/', ' ']).next().unwrap_or_default();
    (last.len() > MINIFIED_BYTES && !last.contains('<')).then_some(told)
}

/// How far a bundle's folder is from its sources says nothing of a source.
fn file(source: &str) -> &str {
    let mut rest = source;
    while let Some(shorter) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("./")) {
        rest = shorter;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str) -> Frame {
        let file = "https://shop.example/assets/index.js".to_owned();
        Frame {
            function: function.to_owned(),
            file,
            line: 1,
            column: 9_000,
            in_app: true,
            ..Frame::default()
        }
    }

    fn written(function: Option<&str>, file: &str) -> Written {
        let function = function.map(str::to_owned);
        Written { function, file: file.to_owned(), line: 7, column: 3, is_ignored: false }
    }

    #[test]
    fn a_frame_takes_what_the_map_tells_and_keeps_a_name_that_somebody_wrote() {
        let stack = Stack { frames: vec![frame("a"), frame("checkOut"), frame("b.c")], left_out: 0 };
        let named = |told: &Written| name(&stack, |_| Some(told)).unwrap().frames;
        let known = named(&written(Some("pay"), "../../src/pay.ts"));
        assert_eq!(
            (known[0].function.as_str(), known[0].file.as_str(), known[0].line),
            ("pay", "src/pay.ts", 7)
        );
        assert!(known.iter().all(|frame| frame.is_written && frame.in_app));
        for nameless in [None, Some("")] {
            let frames = named(&written(nameless, "src/pay.ts"));
            let functions: Vec<_> = frames.iter().map(|frame| frame.function.as_str()).collect();
            assert_eq!(functions, ["", "checkOut", ""]);
        }
        assert!(!named(&written(Some("each"), "../node_modules/lodash/each.js"))[0].in_app);
        let ignored = Written { is_ignored: true, ..written(Some("pay"), "src/pay.ts") };
        assert!(!named(&ignored)[0].in_app);
    }

    #[test]
    fn only_calls_of_scripts_near_the_top_are_named() {
        let told = written(Some("pay"), "src/pay.ts");
        let native = Frame { kind: Kind::Native, ..frame("Array.map") };
        let waiting = Frame { is_async: true, ..frame("a") };
        let stack = Stack { frames: vec![native, waiting, Frame { column: 0, ..frame("a") }], left_out: 0 };
        assert_eq!(name(&stack, |_| Some(&told)), None);
        let deep = Stack { frames: vec![frame("a"); MAX_NAMED_FRAMES + 1], left_out: 0 };
        let named = name(&deep, |_| Some(&told)).unwrap();
        assert_eq!(named.frames.iter().filter(|frame| frame.is_written).count(), MAX_NAMED_FRAMES);
        assert_eq!(name(&deep, |_| None), None);
    }
}
