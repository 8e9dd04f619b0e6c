//! What a bundle says about its map, in the comments at its end: `//# sourceMappingURL=index.js.map`, `//# debugId=…`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::Broken;
use super::debug_id::DebugId;

/// Lines at the end of a bundle that are looked at.
const MAX_LINES: usize = 12;
const MAP: &str = "sourceMappingURL=";
const ID: &str = "debugId=";

/// What the last lines of a bundle say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct References<'a> {
    /// A path, an address, or the map itself as a `data:` address.
    pub map: Option<&'a str>,
    pub debug_id: Option<DebugId>,
}

/// Reads the comments at the end of a bundle.
#[must_use]
pub fn read(code: &str) -> References<'_> {
    let mut found = References::default();
    let lines = code.rsplit(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
    for line in lines.take(MAX_LINES) {
        let is_comment = line.starts_with("//") || line.starts_with("/*");
        // Behind code on the same line it counts, too.
        let comment = if is_comment { Some(line) } else { line.rfind("//# ").map(|at| &line[at..]) };
        if let Some(comment) = comment {
            found.map = found.map.or_else(|| value(comment, MAP));
            found.debug_id = found.debug_id.or_else(|| value(comment, ID)?.parse().ok());
        }
        if !is_comment {
            break;
        }
    }
    found
}

fn value<'a>(comment: &'a str, name: &str) -> Option<&'a str> {
    let body = ["//#", "//@", "/*#", "/*@"].iter().find_map(|mark| comment.strip_prefix(mark))?;
    let value = body.trim_start().strip_prefix(name)?.trim_end_matches("*/").trim();
    (!value.is_empty()).then_some(value)
}

/// The map in a `data:` address; `None` for any other address.
#[must_use]
pub fn inline(url: &str) -> Option<Result<String, Broken>> {
    let rest = url.strip_prefix("data:")?;
    let error = |what: &dyn std::fmt::Display| Broken::Inline(what.to_string());
    let Some((_, data)) = rest.split_once(";base64,") else {
        return Some(Err(error(&"it has another encoding")));
    };
    let bytes = STANDARD.decode(data).or_else(|_| STANDARD_NO_PAD.decode(data)).map_err(|e| error(&e));
    Some(bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|e| error(&e.utf8_error()))))
}

/// A map as a `data:` address.
#[must_use]
pub fn to_inline(map: &str) -> String {
    format!("data:application/json;charset=utf-8;base64,{}", STANDARD.encode(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_name_map_and_id() {
        let id = "85314830-023f-4cf1-a267-535f4e37bb17";
        let code = format!("f();\n//# debugId={id}\n//# sourceMappingURL=index.js.map\n\n");
        assert_eq!(
            read(&code),
            References { map: Some("index.js.map"), debug_id: Some(id.parse().unwrap()) }
        );
        assert_eq!(read("f();//# sourceMappingURL=a.map").map, Some("a.map"));
        assert_eq!(read("f();\r\n/*# sourceMappingURL=a.map */").map, Some("a.map"));
        for code in [
            "",
            "f()",
            "//# sourceMappingURL=a.map\nf();",
            "//# debugId=x\n",
            "// sourceMappingURL=a.map",
            "é//",
        ] {
            assert_eq!(read(code), References::default(), "{code}");
        }
    }

    #[test]
    fn a_map_may_be_in_the_bundle() {
        assert_eq!(inline("index.js.map"), None);
        let url = "data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozfQ==";
        assert_eq!(inline(url), Some(Ok("{\"version\":3}".to_owned())));
        assert_eq!(inline(&super::to_inline("{}")), Some(Ok("{}".to_owned())));
        for wrong in ["data:application/json,{}", "data:application/json;base64,%%", "data:;base64,/w=="] {
            assert!(matches!(inline(wrong), Some(Err(Broken::Inline(_)))), "{wrong}");
        }
    }
}
