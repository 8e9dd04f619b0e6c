//! Stack traces as the engines write them, read into frames.
//!
//! V8 (Chrome, Edge) writes `at function (place)` under a header with type and message. SpiderMonkey (Firefox) and JavaScriptCore
//! (Safari) write `function@place` without a header. Nothing here asks which browser it was: the text decides, since embedded
//! browsers and libraries write either form.

mod gecko;
mod location;
mod v8;

use serde::Serialize;

use super::origin;
use crate::session::fold::cut;

/// Frames kept of either end of a long stack.
pub const MAX_FRAMES_PER_END: usize = 50;
const MAX_FUNCTION_BYTES: usize = 300;
const MAX_FILE_BYTES: usize = 1_024;

/// What kind of code a frame is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file with an address, or a script inside the page.
    #[default]
    Script,
    /// Text that was handed to `eval` or `Function`; file and line are those of the outermost call, as far as they are known.
    Eval,
    /// Of the engine: `Array.map`, `Promise.all`.
    Native,
    /// WebAssembly: the column is the byte offset in the module, the line is 0.
    Wasm,
    Blob,
    Data,
    /// Of the browser or of an extension.
    Extension,
}

/// One call. Empty texts and zeros: not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Frame {
    /// As the engine wrote it, without `async`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub function: String,
    /// Address of the script.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// From 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub line: u32,
    /// From 1, in UTF-16 units as the engines count.
    #[serde(skip_serializing_if = "is_zero")]
    pub column: u32,
    pub kind: Kind,
    /// The page's own code: no extension, no engine, no framework, no library from a public host.
    pub in_app: bool,
    /// It had awaited, or scheduled, what is above it.
    #[serde(rename = "async", skip_serializing_if = "is_false")]
    pub is_async: bool,
    /// Function, file and place are those of the source, which a source map told.
    #[serde(skip)]
    pub is_written: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Frame {
    fn new(function: &str, file: &str, kind: Kind) -> Self {
        let file = match kind {
            Kind::Data => file.find([',', ';']).map_or(file, |end| &file[..end]),
            _ => file,
        };
        Self {
            function: cut(function.trim(), MAX_FUNCTION_BYTES).to_owned(),
            file: cut(file, MAX_FILE_BYTES).to_owned(),
            kind,
            ..Self::default()
        }
    }

    /// All that a browser tells of an error without a stack.
    pub(super) fn of_place(file: &str, position: (u32, u32)) -> Self {
        let mut frame = Self::new("", file, location::kind_of(file)).at(position);
        frame.in_app = origin::is_in_app(&frame);
        frame
    }

    const fn at(mut self, (line, column): (u32, u32)) -> Self {
        (self.line, self.column) = (line, column);
        self
    }
}

/// A stack, the throwing call first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Stack {
    pub frames: Vec<Frame>,
    /// Lines that were left out after the first [`MAX_FRAMES_PER_END`] frames, 0 when the stack is whole.
    pub left_out: u32,
}

/// Reads a stack. Lines that are no frames are skipped. The time is linear in the text's length.
///
/// The message is that of the same error: V8 repeats it above the frames, and what it says is not taken for frames.
#[must_use]
pub fn parse(stack: &str, message: &str) -> Stack {
    let body = without_header(stack, message);
    let read: fn(&str) -> Option<Frame> =
        if lines(body).any(|line| v8::frame(line).is_some()) { v8::frame } else { gecko::frame };
    let mut rest = lines(body);
    let mut frames: Vec<Frame> = Vec::new();
    while frames.len() < MAX_FRAMES_PER_END {
        let Some(line) = rest.next() else { break };
        frames.extend(read(line));
    }
    let mut ending = Vec::new();
    while ending.len() < MAX_FRAMES_PER_END {
        let Some(line) = rest.next_back() else { break };
        ending.extend(read(line));
    }
    let left_out = u32::try_from(rest.count()).unwrap_or(u32::MAX);
    frames.extend(ending.into_iter().rev());
    for frame in &mut frames {
        frame.in_app = origin::is_in_app(frame);
    }
    Stack { frames, left_out }
}

/// Whether an address is that of an extension's script.
pub(super) fn is_of_extension(file: &str) -> bool {
    location::kind_of(file) == Kind::Extension
}

fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty())
}

/// Only a message of several lines can hold something that looks like a frame.
fn without_header<'a>(stack: &'a str, message: &str) -> &'a str {
    let message = message.trim_end();
    if !message.contains('\n') {
        return stack;
    }
    let head = cut(stack, 256 + message.len());
    head.find(message).map_or(stack, |at| &stack[at + message.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_stack_keeps_both_ends() {
        let mut text = "RangeError: Maximum call stack size exceeded\n".to_owned();
        for line in 1..=10_000 {
            text.push_str(&format!("    at f{line} (https://a.b/c.js:{line}:1)\n"));
        }
        let stack = parse(&text, "Maximum call stack size exceeded");
        let lines: Vec<u32> = stack.frames.iter().map(|frame| frame.line).collect();
        assert_eq!((lines.len(), stack.left_out), (100, 9_900));
        assert_eq!((lines[0], lines[49], lines[50], lines[99]), (1, 50, 9_951, 10_000));
    }

    #[test]
    fn a_message_that_looks_like_a_stack_is_none() {
        let message = "it failed\n    at fake (https://evil.example/x.js:1:1)";
        let text = format!("Error: {message}\n    at real (https://a.b/c.js:2:3)");
        let stack = parse(&text, message);
        assert_eq!(stack.frames.len(), 1);
        assert_eq!((stack.frames[0].function.as_str(), stack.frames[0].line), ("real", 2));
    }

    #[test]
    fn text_is_no_stack() {
        for text in
            ["", "Error", "at", "at least one item is required", "mail a@b.c", "at 10:30", "@", "@@@", "((("]
        {
            assert_eq!(parse(text, ""), Stack::default(), "{text}");
        }
    }
}
