//! Where a frame is: `https://a.b/c.js:10:5`, `native`, `main.wasm:wasm-function[3]:0x1f`.

use super::{Frame, Kind};

/// A place, which a function's name makes a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location<'a> {
    pub(super) file: &'a str,
    pub(super) position: (u32, u32),
    pub(super) kind: Kind,
    /// `wasm-function[3]`: all that is known of a function without a name.
    pub(super) function: &'a str,
}

impl<'a> Location<'a> {
    pub(super) const fn unknown(kind: Kind) -> Self {
        Self { file: "", position: (0, 0), kind, function: "" }
    }

    pub(super) fn frame(self, function: &str) -> Frame {
        // JavaScriptCore calls a function without a name by its number.
        let is_number = self.kind == Kind::Wasm && function.bytes().all(|byte| byte.is_ascii_digit());
        let function = if function.is_empty() || is_number { self.function } else { function };
        Frame::new(function, self.file, self.kind).at(self.position)
    }

    pub(super) const fn is_sure(&self) -> bool {
        self.position.0 > 0 || matches!(self.kind, Kind::Native | Kind::Wasm)
    }

    /// Reads a place; one without a line is only believed where the engines write it so.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if let Some(wasm) = read_wasm(text) {
            return Some(wasm);
        }
        if is_native(text) {
            return Some(Self::unknown(Kind::Native));
        }
        let (file, position) = split_position(text);
        let location = Self { file, position, kind: kind_of(file), function: "" };
        (position.0 > 0 && !file.is_empty()).then_some(location)
    }
}

fn is_native(text: &str) -> bool {
    const WORDS: [&str; 6] =
        ["native", "native code", "[native code]", "<anonymous>", "unknown location", "unknown source"];
    WORDS.contains(&text)
        || text.strip_prefix("index ").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read_wasm(text: &str) -> Option<Location<'_>> {
    if text == "[wasm code]" {
        return Some(Location::unknown(Kind::Wasm));
    }
    let at = text.rfind("wasm-function[")?;
    let (function, rest) = text[at..].split_once(']')?;
    let function = &text[at..=at + function.len()];
    let offset = rest.strip_prefix(":0x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let file = text[..at].trim_end_matches([':', '.']);
    // SpiderMonkey tells where a module was made of bytes: `https://a.b/c.js line 8 > WebAssembly.Module`.
    let file = file.split_once(" line ").map_or(file, |(file, _)| file);
    let file = if file.starts_with('<') { "" } else { file };
    Some(Location { file, position: (0, offset.unwrap_or(0)), kind: Kind::Wasm, function })
}

/// Takes `:line` or `:line:column` off the end.
pub(super) fn split_position(text: &str) -> (&str, (u32, u32)) {
    let Some((rest, last)) = split_number(text) else { return (text, (0, 0)) };
    match split_number(rest) {
        Some((file, line)) => (file, (line, last)),
        // `http://host:8080` ends with a port.
        None if rest.split_once("://").is_some_and(|(_, host)| !host.contains('/')) => (text, (0, 0)),
        None => (rest, (last, 0)),
    }
}

fn split_number(text: &str) -> Option<(&str, u32)> {
    let (rest, digits) = text.rsplit_once(':')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(|number| (rest, number))
}

/// The scheme of an address, without the colon.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let head = text.as_bytes().get(..text.len().min(32))?;
    let end = head.iter().position(|&byte| byte == b':')?;
    let is_scheme = end > 1
        && head[0].is_ascii_alphabetic()
        && head[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte));
    is_scheme.then(|| &text[..end])
}

pub(super) fn kind_of(file: &str) -> Kind {
    match scheme(file) {
        Some("blob") => Kind::Blob,
        Some("data") => Kind::Data,
        Some("wasm") => Kind::Wasm,
        Some("node" | "self-hosted") => Kind::Native,
        Some("javascript") => Kind::Eval,
        Some("webkit-masked-url" | "chrome" | "resource") => Kind::Extension,
        Some(scheme) if scheme.ends_with("-extension") => Kind::Extension,
        _ if file == "<anonymous>" || file == "debugger eval code" || file == "eval code" => Kind::Eval,
        _ if file == "self-hosted" => Kind::Native,
        _ => Kind::Script,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_off_the_end() {
        assert_eq!(split_position("http://a:5000/:19:13"), ("http://a:5000/", (19, 13)));
        assert_eq!(split_position("file:///G:/js/x.js:44"), ("file:///G:/js/x.js", (44, 0)));
        assert_eq!(split_position("http://a:5000"), ("http://a:5000", (0, 0)));
        assert_eq!(split_position("x.js:99999999999:1"), ("x.js:99999999999", (1, 0)));
    }
}
