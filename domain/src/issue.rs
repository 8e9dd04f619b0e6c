//! From an error to an issue: its stack is read, its group found, and what is nobody's issue is told apart. Pure, bounded and linear
//! in what the error holds. Then what is counted of an issue, and which issues people made one.
//!
//! Deliberately absent: what else people do with an issue, and how source maps are found.

pub mod stack;
pub mod origin;
pub mod name;
pub mod naming;
pub mod message;
pub mod engine;
pub mod grouping;
pub mod filter;
pub mod sequel;
pub mod totals;
pub mod visitor;
pub mod merge;
pub mod release;
pub mod forecast;
pub mod setting;
pub mod rule;
pub mod request;
pub mod key;

use filter::{Filter, Filters};
use grouping::{Fingerprint, Group};
use naming::Written;
use rule::Rules;
use stack::{Frame, Kind, Stack};

use crate::session::fold::cut;

const MAX_TITLE_BYTES: usize = 250;
const MAX_CULPRIT_BYTES: usize = 200;
/// Causes, and parts of an `AggregateError`, that are read.
pub const MAX_CAUSES: usize = 10;

/// An error as the page told it. Empty texts and zeros: not known.
#[derive(Debug, Clone, Default)]
pub struct Thrown<'a> {
    /// `TypeError`.
    pub kind: &'a str,
    pub message: &'a str,
    pub stack: &'a str,
    /// `uncaught`, `unhandledrejection`, `console`, `captured`, `react`, `resource`, `csp`.
    pub mechanism: &'a str,
    pub handled: bool,
    /// The script that the browser named, or what did not load.
    pub source: &'a str,
    pub line: u32,
    pub column: u32,
    /// The chain of `cause`, the outermost first.
    pub causes: Vec<Cause<'a>>,
    /// The parts of an `AggregateError`.
    pub errors: Vec<Cause<'a>>,
    /// What the page wants to be grouped by.
    pub fingerprint: Vec<&'a str>,
    pub page_url: &'a str,
}

/// An error inside another.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cause<'a> {
    pub kind: &'a str,
    pub message: &'a str,
    pub stack: &'a str,
}

/// What is known of an error once it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// As the engine told it.
    pub stack: Stack,
    /// Stacks of the causes and of the parts, in their order.
    pub causes: Vec<Stack>,
    pub errors: Vec<Stack>,
    pub group: Group,
    /// Type and first line of the message.
    pub title: String,
    /// The page's function or file that is nearest to where it was thrown; else the page.
    pub culprit: String,
    /// It makes no issue, and why.
    pub filtered: Option<Filter>,
}

impl Examined {
    /// The issue it belongs to, unless it was filtered.
    #[must_use]
    pub fn issue(&self) -> Option<Fingerprint> {
        self.filtered.is_none().then_some(self.group.fingerprint)
    }
}

/// Looks at an error. The project's rules decide before what the page gave.
#[must_use]
pub fn examine(thrown: &Thrown<'_>, filters: Filters, rules: &Rules, is_bot: bool) -> Examined {
    examine_named(thrown, filters, rules, is_bot, |_| None)
}

/// The same, where source maps tell how frames were written. Rules and filters look at what the engine told.
#[must_use]
pub fn examine_named<'w>(
    thrown: &Thrown<'_>,
    filters: Filters,
    rules: &Rules,
    is_bot: bool,
    written: impl Fn(&Frame) -> Option<&'w Written>,
) -> Examined {
    let stack = stack_of(thrown);
    let named = naming::name(&stack, written);
    let shown = named.as_ref().unwrap_or(&stack);
    let group = match rules.find(thrown, &stack) {
        Some((rule, fingerprint)) => grouping::group_by_rule(thrown, shown, rule, fingerprint),
        None => grouping::group(thrown, shown),
    };
    let inner = |causes: &[Cause<'_>]| {
        causes.iter().take(MAX_CAUSES).map(|cause| stack::parse(cause.stack, cause.message)).collect()
    };
    Examined {
        causes: inner(&thrown.causes),
        errors: inner(&thrown.errors),
        group,
        title: title(thrown.kind, thrown.message),
        culprit: culprit(thrown, shown),
        filtered: filters.drop(thrown, &stack, is_bot),
        stack,
    }
}

/// The stack, or the one place that the browser named.
#[must_use]
pub fn stack_of(thrown: &Thrown<'_>) -> Stack {
    let mut stack = stack::parse(thrown.stack, thrown.message);
    let is_place =
        matches!(thrown.mechanism, "uncaught" | "") && !thrown.source.is_empty() && thrown.line > 0;
    if stack.frames.is_empty() && is_place {
        stack.frames.push(Frame::of_place(thrown.source, (thrown.line, thrown.column)));
    }
    stack
}

/// `TypeError: cart is undefined`, one line of printable text.
#[must_use]
pub fn title(kind: &str, message: &str) -> String {
    let line = message.trim_start().lines().next().unwrap_or_default();
    let text = match (kind, line) {
        (kind, "") => kind.to_owned(),
        ("" | "NonError", line) => line.to_owned(),
        (kind, line) => format!("{}: {line}", cut(kind, MAX_TITLE_BYTES / 2)),
    };
    let printable: String = cut(&text, 4 * MAX_TITLE_BYTES).chars().map(printable).collect();
    let printable = printable.trim_end();
    match cut(printable, MAX_TITLE_BYTES) {
        whole if whole.len() == printable.len() => whole.to_owned(),
        part => format!("{part}…"),
    }
}

/// Controls, and marks that turn the direction of text, would garble what stands beside them.
fn printable(c: char) -> char {
    let is_mark =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if c.is_control() || is_mark { ' ' } else { c }
}

fn culprit(thrown: &Thrown<'_>, stack: &Stack) -> String {
    let nearest = |is: fn(&Frame) -> bool| stack.frames.iter().find(|frame| is(frame));
    let frame = nearest(|frame| frame.in_app && !frame.is_async)
        .or_else(|| nearest(|frame| frame.kind != Kind::Native));
    let text = match frame {
        Some(frame) => match (name::function(&frame.function), frame.file.as_str()) {
            (function, "") => function.to_owned(),
            ("", file) => name::file(file),
            (function, file) => format!("{function} ({})", name::file(file)),
        },
        None if !thrown.source.is_empty() => name::file(thrown.source),
        None => crate::endpoint::template(thrown.page_url),
    };
    cut(&text, MAX_CULPRIT_BYTES).chars().map(printable).collect()
}
