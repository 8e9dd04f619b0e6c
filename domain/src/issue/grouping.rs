//! Which errors are one issue.
//!
//! An issue is one mistake in one place of the page's code. What an error tells of that is weak: engines word and name things in
//! their own way, builds rename files and functions, messages hold data. So a group is made of the strongest evidence there is,
//! and of nothing else:
//!
//! 1. **A fingerprint** that the page gave.
//! 2. **A resource or a violation of policy**: what did not load, or what was blocked. There is no code to look at.
//! 3. **The stack**: the type, and the function that threw with its file. It is the nearest frame that is the page's own code, has a
//!    name, and is shown by every browser: no native, evaluated or asynchronous one, and not the constructor of the error itself.
//!    When that function only checks for others (`invariant`, `assert`), its caller counts too.
//! 4. **The message**: the type, the message as a template, and the file without its hash, when the throwing frame has no name, is
//!    minified (its name and position change with each build), or none is the page's own.
//!
//! Only *one* function, because callers are no sign to rely on: JavaScriptCore forgets a strict function that ends with `return f()`,
//! V8 keeps ten frames and the others a hundred, and what is asynchronous to one engine is absent in another. What callers
//! would tell apart is told by the message.
//!
//! So the message counts beside the stack: two errors that one function throws differ in their words alone. The page's own
//! words are the same in every browser, so for errors of its own types (and for `Error`) those words of the message count that
//! look written, not filled in. What engines say is worded by each in its own way: it counts in the one form that `engine` knows
//! for it, and not at all when it knows none, so that the same error in four browsers stays one.
//!
//! Causes and the parts of an `AggregateError` do not count, as the outer error says where the page noticed; only an
//! `AggregateError` without frames (of `Promise.any`) is told by its parts.
//!
//! Frames that a source map names ([`super::naming`]) have the names that their author gave: none of them is minified. An error with such
//! a frame is grouped under a version of its own, so that errors without maps stay in the issues that they have.
//!
//! Limits, accepted: in a minified bundle without a map two equal messages of one file are one issue; a function that was assigned to a
//! property has no name in Safari, and one that ends with `return JSON.parse(…)` is forgotten there, so that such an error may be a
//! second issue; a failed `fetch` has frames in some engines only.
//!
//! The rules have a version, which is part of what is hashed and is kept with the group. Any change to what a group is made of, in this
//! module or in those it asks, is a new version; groups of an older one stay as they are.

use serde::Serialize;

use super::stack::{Frame, Kind, Stack};
use super::{Thrown, engine, message, name};
use crate::endpoint;
use crate::session::fold::cut;

/// The rules that [`group`] follows for what the engines told.
pub const GROUPING_VERSION: u32 = 1;
/// The same rules for a stack in which a source map names a frame.
pub const NAMED_GROUPING_VERSION: u32 = 2;

const MAX_PARTS: usize = 3;
/// Frames of scripts that are looked at: V8 keeps ten, native ones among them.
const MAX_FRAMES: usize = 8;
const MAX_RECURRING: usize = 8;
/// Written code has no longer lines.
const LONG_LINE_COLUMN: u32 = 500;
const MAX_GIVEN: usize = 10;
const MAX_VALUES: usize = 10;
const MAX_VALUE_BYTES: usize = 300;
/// Functions that check or throw for whoever calls them, compared without case.
const HELPERS: &[&str] = &[
    "invariant",
    "assert",
    "check",
    "ensure",
    "expect",
    "must",
    "throw",
    "fail",
    "raise",
    "panic",
    "unreachable",
];
/// What a given fingerprint holds to mean what would have counted without it.
const DEFAULT: &str = "{{ default }}";

/// What a group was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The page's own fingerprint.
    Fingerprint,
    /// A rule of the project.
    Rule,
    Request,
    Resource,
    Policy,
    Stack,
    Message,
}

impl Basis {
    /// As it is stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fingerprint => "fingerprint",
            Self::Rule => "rule",
            Self::Request => "request",
            Self::Resource => "resource",
            Self::Policy => "policy",
            Self::Stack => "stack",
            Self::Message => "message",
        }
    }
}

/// The name of an issue within its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Not 32 hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 hexadecimal digits in lower case")]
pub struct NoFingerprint;

impl std::str::FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(NoFingerprint);
        }
        let mut bytes = [0; 16];
        for (byte, at) in bytes.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| NoFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that an error tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    pub name: &'static str,
    pub values: Vec<String>,
    /// Whether it is part of the fingerprint.
    pub counted: bool,
    /// Why it is, or why not.
    pub why: &'static str,
}

/// Which issue an error belongs to, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub fingerprint: Fingerprint,
    /// [`GROUPING_VERSION`] or [`NAMED_GROUPING_VERSION`] when it was made.
    pub version: u32,
    pub basis: Basis,
    pub components: Vec<Component>,
}

/// Finds the group of an error whose stack was read.
#[must_use]
pub fn group(thrown: &Thrown<'_>, stack: &Stack) -> Group {
    let (basis, components) = by_itself(thrown, stack);
    if thrown.fingerprint.is_empty() {
        return Group::new(version_of(basis, stack), basis, components);
    }
    let is_default = |part: &&str| part.replace(' ', "") == "{{default}}";
    let given = thrown.fingerprint.iter().take(MAX_GIVEN);
    let values: Vec<String> =
        given.clone().map(|part| if is_default(part) { DEFAULT } else { part }).map(bounded).collect();
    let adds = given.clone().any(is_default);
    let mut all = vec![Component { name: "fingerprint", values, counted: true, why: "the page gave it" }];
    let rest = components.into_iter().map(|component| match adds {
        true => component,
        false => Component { counted: false, why: "the page's fingerprint decides", ..component },
    });
    all.extend(rest);
    // What the page gives alone is the same issue whether there are maps or not.
    let version = if adds { version_of(basis, stack) } else { GROUPING_VERSION };
    Group::new(version, Basis::Fingerprint, all)
}

fn version_of(basis: Basis, stack: &Stack) -> u32 {
    let is_of_code = matches!(basis, Basis::Stack | Basis::Message);
    let is_named = is_of_code && stack.frames.iter().any(|frame| frame.is_written);
    if is_named { NAMED_GROUPING_VERSION } else { GROUPING_VERSION }
}

/// The group of an error that the project's rule of that number (from 0) matched. A page that gives the same fingerprint gives the
/// same group.
#[must_use]
pub fn group_by_rule(thrown: &Thrown<'_>, stack: &Stack, rule: usize, fingerprint: &str) -> Group {
    let mut all = vec![
        counted("fingerprint", vec![bounded(fingerprint)], "a rule of the project gave it"),
        ignored("rule", vec![format!("number {}", rule + 1)], "the first that matched"),
    ];
    let given = thrown.fingerprint.iter().take(MAX_GIVEN).map(|part| bounded(part)).collect::<Vec<_>>();
    if !given.is_empty() {
        all.push(ignored("the page's fingerprint", given, "the project's rule decides"));
    }
    let rest = by_itself(thrown, stack).1.into_iter();
    all.extend(rest.map(|component| Component {
        counted: false,
        why: "the project's rule decides",
        ..component
    }));
    Group::new(GROUPING_VERSION, Basis::Rule, all)
}

/// The group of a failed request. `host`: of which host, and whether that is another one than the page's.
#[must_use]
pub fn of_request(method: &str, template: &str, failure: &str, (host, is_other): (&str, bool)) -> Group {
    let one = |text: &str| vec![bounded(text)];
    let mut components = vec![
        counted("method", one(method), "what was asked"),
        counted("endpoint", one(template), "of which endpoint: what names one of many does not count"),
        counted("status", one(failure), "what came of it"),
    ];
    if is_other {
        components.push(counted(
            "host",
            one(host),
            "it is not the page's own: paths of two services are no one endpoint",
        ));
    } else if !host.is_empty() {
        components.push(ignored("host", one(host), "the page's own: each environment has its own"));
    }
    Group::new(GROUPING_VERSION, Basis::Request, components)
}

impl Group {
    fn new(version: u32, basis: Basis, components: Vec<Component>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("playhead 2026 issue fingerprint");
        hasher.update(&version.to_be_bytes());
        for component in components.iter().filter(|component| component.counted) {
            feed(&mut hasher, component.name);
            hasher.update(&(component.values.len() as u64).to_be_bytes());
            component.values.iter().for_each(|value| feed(&mut hasher, value));
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self { fingerprint: Fingerprint(fingerprint), version, basis, components }
    }
}

/// With its length, so that no two lists of texts are one text.
fn feed(hasher: &mut blake3::Hasher, text: &str) {
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

fn bounded(value: &str) -> String {
    cut(value, MAX_VALUE_BYTES).to_owned()
}

fn counted(name: &'static str, values: Vec<String>, why: &'static str) -> Component {
    Component { name, values, counted: true, why }
}

fn ignored(name: &'static str, values: Vec<String>, why: &'static str) -> Component {
    Component { name, values, counted: false, why }
}

fn by_itself(thrown: &Thrown<'_>, stack: &Stack) -> (Basis, Vec<Component>) {
    let (basis, mut components) = match thrown.mechanism {
        "resource" => (Basis::Resource, of_resource(thrown)),
        "csp" => (Basis::Policy, of_policy(thrown)),
        _ => of_code(thrown, stack),
    };
    components.retain(|component| !component.values.is_empty());
    for component in &mut components {
        component.values.truncate(MAX_VALUES);
        component.values.iter_mut().for_each(|value| *value = bounded(value));
    }
    (basis, components)
}

fn of_resource(thrown: &Thrown<'_>) -> Vec<Component> {
    let element = thrown.message.split(['<', '>']).nth(1).unwrap_or_default();
    let (host, _) = super::origin::parts(thrown.source);
    let file = name::file(&endpoint::template(thrown.source));
    vec![
        counted("element", vec![bounded(element)], "what was to be loaded"),
        counted("address", vec![format!("{host}{file}")], "from where, without what names one of many"),
    ]
}

fn of_policy(thrown: &Thrown<'_>) -> Vec<Component> {
    let (directive, blocked) = thrown.message.split_once(" blocked ").unwrap_or((thrown.message, ""));
    let (host, _) = super::origin::parts(blocked);
    let source = if host.is_empty() { blocked.split(':').next().unwrap_or_default() } else { host };
    vec![
        counted("directive", vec![bounded(directive)], "the rule"),
        counted("blocked", vec![bounded(source)], "whom it blocked"),
    ]
}

fn of_code(thrown: &Thrown<'_>, stack: &Stack) -> (Basis, Vec<Component>) {
    let known = engine::recognize(thrown.kind, thrown.message);
    let kind = known.as_ref().map_or(thrown.kind, |known| known.kind);
    let mut components = vec![counted("type", vec![bounded(kind)], "the error's type")];
    let sorted =
        Sorted::new(thrown, stack, known.as_ref().is_some_and(|known| known.form == "stack overflow"));
    let is_anywhere = known.as_ref().is_some_and(|known| known.form == "resize observer loop");
    let basis = if sorted.functions.is_empty() || is_anywhere { Basis::Message } else { Basis::Stack };
    if basis == Basis::Stack {
        components.push(counted("functions", sorted.functions.clone(), "the page's own code that threw"));
        components.push(words(thrown, known.as_ref()));
    } else {
        components.push(counted(
            "message",
            vec![template(thrown, known.as_ref())],
            "there is no better sign",
        ));
        let file = file(thrown, stack).into_iter().collect();
        components.push(match is_anywhere {
            true => ignored("file", file, "it comes from the browser"),
            false => counted("file", file, "of the nearest frame of the page, without its build's hash"),
        });
        components.push(parts(thrown, stack));
    }
    components.extend(sorted.ignored);
    let causes = thrown.causes.iter().map(|cause| cause.kind.to_owned()).collect();
    components.push(ignored("causes", causes, "the outer error decides"));
    (basis, components)
}

/// What of the message counts beside a stack.
fn words(thrown: &Thrown<'_>, known: Option<&engine::Known>) -> Component {
    match known {
        Some(known) => {
            counted("message", vec![known.text()], "what the browser says, in one form for all browsers")
        }
        None if engine::is_built_in(thrown.kind) => {
            ignored("message", vec![template(thrown, None)], "each browser words it in its own way")
        }
        None => counted("message", vec![written(thrown)], "the words that the page's author wrote"),
    }
}

fn written(thrown: &Thrown<'_>) -> String {
    library_code(thrown.message)
        .map_or_else(|| message::words(&message::parametrize(thrown.message)), ToOwned::to_owned)
}

fn template(thrown: &Thrown<'_>, known: Option<&engine::Known>) -> String {
    match (known, library_code(thrown.message)) {
        (Some(known), _) => known.text(),
        (None, Some(code)) => code.to_owned(),
        (None, None) => message::parametrize(thrown.message),
    }
}

/// `Minified React error #31`: the number is all that is left of the message.
fn library_code(message: &str) -> Option<&str> {
    if !message.starts_with("Minified ") {
        return None;
    }
    let at = message.find(" error #").filter(|at| *at < 40)? + " error #".len();
    let digits = message[at..].bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &message[..at + digits])
}

/// The file of the nearest frame of the page, or the one that the browser named.
fn file(thrown: &Thrown<'_>, stack: &Stack) -> Option<String> {
    // Safari does not tell which module it is.
    let is_file = |frame: &&Frame| {
        frame.in_app && !frame.is_async && !frame.file.is_empty() && frame.kind != Kind::Wasm
    };
    let frame = stack.frames.iter().find(is_file);
    let source = Some(thrown.source).filter(|source| stack.frames.is_empty() && !source.is_empty());
    frame.map(|frame| frame.file.as_str()).or(source).map(name::file)
}

fn parts(thrown: &Thrown<'_>, stack: &Stack) -> Component {
    let mut parts: Vec<String> =
        thrown.errors.iter().map(|part| part_text(part.kind, part.message)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.truncate(MAX_PARTS);
    if stack.frames.iter().any(|frame| frame.in_app) {
        return ignored("parts", parts, "the outer error decides");
    }
    counted("parts", parts, "the error that holds them says nothing of where")
}

fn part_text(kind: &str, text: &str) -> String {
    match engine::recognize(kind, text) {
        Some(known) => format!("{}: {}", known.kind, known.text()),
        None => format!("{kind}: {}", message::parametrize(text)),
    }
}

/// The frames, by whether they count.
struct Sorted {
    functions: Vec<String>,
    ignored: Vec<Component>,
}

const NAMELESS: &str = "without a name";
const MINIFIED: &str = "minified: name and position change with each build";

/// Why a frame does not count by itself.
fn reason(frame: &Frame, minified: &[&str]) -> Option<&'static str> {
    match frame.kind {
        Kind::Extension => Some("of the browser or an extension"),
        Kind::Native => Some("of the engine: not every browser shows it"),
        Kind::Eval => Some("evaluated text: each browser places it elsewhere"),
        _ if frame.is_async => Some("asynchronous caller: not every browser shows it"),
        _ if !frame.in_app => Some("of a framework or a library"),
        _ if !frame.is_written && minified.contains(&frame.file.as_str()) => Some(MINIFIED),
        _ => match function_of(frame) {
            "" => Some(NAMELESS),
            short if !frame.is_written && name::is_minified(short) => Some(MINIFIED),
            _ => None,
        },
    }
}

impl Sorted {
    fn new(thrown: &Thrown<'_>, stack: &Stack, is_overflow: bool) -> Self {
        let dense = stack.frames.iter().filter(|frame| is_dense(frame));
        let minified: Vec<&str> = dense.map(|frame| frame.file.as_str()).collect();
        let mut sorted = Self { functions: Vec::new(), ignored: Vec::new() };
        let mut counts: Vec<usize> = Vec::new();
        let mut seen = 0;
        // Callers say nothing of what an unnamed function did.
        let mut is_thrower_known = true;
        for frame in &stack.frames {
            let is_own = sorted.functions.is_empty() && is_constructor(frame, thrown.kind);
            let why = if is_own { Some("the error's constructor") } else { reason(frame, &minified) };
            seen += usize::from(frame.kind != Kind::Native && !frame.is_async);
            is_thrower_known &= !sorted.functions.is_empty() || !matches!(why, Some(MINIFIED | NAMELESS));
            let text = describe(frame);
            match why {
                Some(why) => sorted.ignore(text, why),
                None if !is_thrower_known => sorted.ignore(text, "what it called has no name to rely on"),
                None if seen > MAX_FRAMES && !is_overflow => {
                    sorted.ignore(text, "further down than every browser shows")
                }
                None => match sorted.functions.iter().position(|known| *known == text) {
                    Some(at) => counts[at] += 1,
                    None => {
                        sorted.functions.push(text);
                        counts.push(1);
                    }
                },
            }
        }
        sorted.choose(&counts, is_overflow);
        sorted
    }

    fn choose(&mut self, counts: &[usize], is_overflow: bool) {
        let recurs = counts.iter().any(|count| *count > 1);
        if is_overflow && recurs {
            // Where in the circle the stack ended is chance.
            let mut counts = counts.iter();
            self.functions.retain(|_| counts.next().is_some_and(|count| *count > 1));
            self.functions.sort_unstable();
            self.functions.truncate(MAX_RECURRING);
            return;
        }
        let helpers = self.functions.iter().take_while(|function| is_helper(function)).count();
        let keep = if helpers > 0 { helpers + 1 } else { 1 };
        for text in self.functions.split_off(self.functions.len().min(keep)) {
            self.ignore(text, "callers: not every browser remembers them");
        }
    }

    fn ignore(&mut self, text: String, why: &'static str) {
        match self.ignored.iter_mut().find(|component| component.why == why) {
            Some(component) if component.values.len() >= MAX_VALUES || component.values.contains(&text) => {}
            Some(component) => component.values.push(text),
            None => self.ignored.push(ignored("frames", vec![text], why)),
        }
    }
}

/// Whether it is the error's own class: V8 leaves it out.
fn is_constructor(frame: &Frame, kind: &str) -> bool {
    let function = name::function(&frame.function);
    !function.is_empty()
        && (function == kind || function.ends_with("Error") && function.starts_with(char::is_uppercase))
}

/// `invariant`, `assertCart`, `throwIfEmpty`; not `checkout` or `failure`.
fn is_helper(function: &str) -> bool {
    let function = function.split(' ').next().unwrap_or_default();
    HELPERS.iter().any(|helper| {
        function.get(..helper.len()).is_some_and(|start| start.eq_ignore_ascii_case(helper))
            && function[helper.len()..].chars().next().is_none_or(|next| !next.is_lowercase())
    })
}

/// Whether a frame is in a line as long as only minifiers write them.
fn is_dense(frame: &Frame) -> bool {
    frame.in_app
        && !frame.is_written
        && matches!(frame.kind, Kind::Script | Kind::Blob | Kind::Data)
        && (frame.column > LONG_LINE_COLUMN || frame.file.contains(".min."))
}

fn function_of(frame: &Frame) -> &str {
    if frame.kind == Kind::Wasm {
        name::wasm_function(&frame.function)
    } else {
        name::function(&frame.function)
    }
}

fn describe(frame: &Frame) -> String {
    let function = function_of(frame);
    match (function, frame.file.as_str()) {
        ("", "") => "?".to_owned(),
        // Safari does not tell which module it is.
        (function, _) if frame.kind == Kind::Wasm => format!("{function} (<wasm>)"),
        (function, "") => function.to_owned(),
        ("", file) => name::file(file),
        (function, file) => format!("{function} ({})", name::file(file)),
    }
}
