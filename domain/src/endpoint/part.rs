//! What in a segment of a path differs from one time to the next: numbers, hashes and the like between hyphens, before an extension.

use crate::token::{Token, classify};

/// More parts than any slug has are not looked into.
const MAX_PARTS: usize = 24;
/// Shorter numbers are often a part of what something is called: `top-10`.
const LEAST_DIGITS: usize = 3;
const MAX_EXTENSION: usize = 5;
const UUID: usize = 36;
const DATE: usize = 10;

/// The segment with its parts replaced; `None`: there is nothing to replace.
pub(super) fn placeholders(segment: &str) -> Option<String> {
    if is_key(segment) {
        return Some("{id}".to_owned());
    }
    let (stem, extension) = split_extension(segment);
    let replaced =
        whole(stem).map_or_else(|| by_hyphens(stem), |placeholder| Some(placeholder.to_owned()))?;
    Some(format!("{replaced}{extension}"))
}

/// The key of an issue in a tracker: `DEMO-17`.
fn is_key(segment: &str) -> bool {
    let Some((project, number)) = segment.split_once('-') else { return false };
    (2..=10).contains(&project.len())
        && project.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && project.as_bytes()[0].is_ascii_uppercase()
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The extension with its dot, if there is one.
fn split_extension(segment: &str) -> (&str, &str) {
    let Some(at) = segment.rfind('.').filter(|at| *at > 0) else { return (segment, "") };
    let extension = &segment[at + 1..];
    let is_one = (1..=MAX_EXTENSION).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && extension.as_bytes()[0].is_ascii_alphabetic();
    if is_one { segment.split_at(at) } else { (segment, "") }
}

fn whole(text: &str) -> Option<&'static str> {
    match classify(text)? {
        Token::Number => is_long_number(text).then_some("{id}"),
        Token::Id => Some("{id}"),
        Token::Uuid => Some("{uuid}"),
        Token::Hash => Some("{hash}"),
        Token::Date => Some("{date}"),
        Token::Email | Token::Ip | Token::Time => None,
    }
}

fn is_long_number(text: &str) -> bool {
    text.len() >= LEAST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn by_hyphens(stem: &str) -> Option<String> {
    if !stem.contains('-') || stem.split('-').count() > MAX_PARTS {
        return None;
    }
    let (mut rest, mut replaced, mut is_changed) = (stem, String::with_capacity(stem.len()), false);
    loop {
        let (length, placeholder) = first(rest);
        replaced.push_str(placeholder.unwrap_or(&rest[..length]));
        is_changed |= placeholder.is_some();
        rest = &rest[length..];
        match rest.strip_prefix('-') {
            Some(more) => rest = more,
            None => return is_changed.then_some(replaced),
        }
        replaced.push('-');
    }
}

/// How long the first part is, and what stands for it. Uuids and dates have hyphens of their own.
fn first(text: &str) -> (usize, Option<&'static str>) {
    for (length, token, placeholder) in [(UUID, Token::Uuid, "{uuid}"), (DATE, Token::Date, "{date}")] {
        let Some((part, rest)) = text.split_at_checked(length) else { continue };
        if (rest.is_empty() || rest.starts_with('-')) && classify(part) == Some(token) {
            return (length, Some(placeholder));
        }
    }
    let length = text.find('-').unwrap_or(text.len());
    (length, whole(&text[..length]))
}
