//! `function@place`: SpiderMonkey and JavaScriptCore.

use super::location::{Location, scheme};
use super::{Frame, Kind};

pub(super) fn frame(line: &str) -> Option<Frame> {
    let (function, place) = match split(line) {
        Some(parts) => parts,
        None if line == "eval code" => (line, ""),
        None if line == "[native code]" || scheme(line).is_some() => ("", line),
        None => return None,
    };
    let (function, is_async) = without_async(function);
    let function = without_arguments(function);
    let location = if place.is_empty() {
        let kind = if function.starts_with("eval code") { Kind::Eval } else { Kind::Native };
        function.contains(char::is_alphanumeric).then_some(Location::unknown(kind))?
    } else {
        evaluated(place).or_else(|| Location::read(place))?
    };
    let frame = location.frame(function);
    Some(Frame { is_async, ..frame })
}

/// Names and addresses may both hold `@`: the one before something that can be an address parts them.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut signs = line.match_indices('@').map(|(at, _)| at);
    let at = signs.clone().find(|at| begins_address(&line[at + 1..])).or_else(|| signs.next_back())?;
    Some((&line[..at], &line[at + 1..]))
}

fn begins_address(text: &str) -> bool {
    text.starts_with('/') || text.starts_with('[') || scheme(text).is_some()
}

/// `async*f`, `promise callback*f`, `setTimeout handler*f`.
fn without_async(function: &str) -> (&str, bool) {
    if let Some(rest) = function.strip_prefix("async ") {
        return (rest, true);
    }
    match function.split_once('*') {
        Some((cause, rest))
            if cause.bytes().all(|byte| byte.is_ascii_alphabetic() || b" .".contains(&byte)) =>
        {
            (rest, !cause.is_empty())
        }
        _ => (function, false),
    }
}

/// Engines of old wrote arguments: `bar(1)`, `(null)`.
fn without_arguments(function: &str) -> &str {
    if function.ends_with(')') { function.find('(').map_or(function, |at| &function[..at]) } else { function }
}

/// `https://a.b/c.js line 26 > eval line 2 > eval:1:30`.
fn evaluated(place: &str) -> Option<Location<'_>> {
    let at = place.find(" line ")?;
    let rest = &place[at + " line ".len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if !rest[digits..].starts_with(" > ") || rest.contains("wasm-function[") {
        return None;
    }
    let line = rest[..digits].parse().ok()?;
    Some(Location { file: &place[..at], position: (line, 0), kind: Kind::Eval, function: "" })
}
