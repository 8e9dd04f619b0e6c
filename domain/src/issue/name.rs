//! Names of functions and files as they are compared: the same in every engine and in every build.

use crate::token::{Token, classify};

/// What is left of a function's name in every engine: the last part of what it is called by. Empty when it has no name.
///
/// | V8 | SpiderMonkey | JavaScriptCore | here |
/// |---|---|---|---|
/// | `Cart.render` | `render` | `render` | `render` |
/// | `new Cart` | `Cart` | `Cart` | `Cart` |
/// | `Object.d [as add]` | `add` | `d` | `d` |
/// | none, `Object.<anonymous>` | `test/<` | none | none |
/// | none | none | `global code`, `module code` | none |
#[must_use]
pub fn function(name: &str) -> &str {
    let name = name.split(" [as ").next().unwrap_or_default().trim();
    if name.ends_with('<') {
        return "";
    }
    let name = without_brackets(name.rsplit('/').next().unwrap_or_default());
    let name = name.rsplit(' ').next().unwrap_or_default();
    match name {
        "anonymous" | "?" | "eval" | "code" | "function" | "null" | "Anonymous" => "",
        name if name.starts_with(['<', '(']) || name.ends_with(['>', ')']) => "",
        name => name,
    }
}

/// The name of a WebAssembly function, without the module's; empty when it has only a number, which changes with each build.
#[must_use]
pub fn wasm_function(name: &str) -> &str {
    let name = match name.split_once("wasm-function[") {
        Some((_, rest)) => rest.strip_suffix(']').unwrap_or(rest),
        None => name.split_once(".wasm.").map_or(name, |(_, function)| function),
    };
    let is_known = name != "wasm-stub" && !name.bytes().all(|byte| byte.is_ascii_digit());
    if is_known { name } else { "" }
}

/// The part after the last dot that is not inside brackets.
fn without_brackets(name: &str) -> &str {
    let mut depth = 0_u32;
    let dot = name.bytes().rposition(|byte| {
        match byte {
            b']' | b')' | b'>' => depth += 1,
            b'[' | b'(' | b'<' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b'.' && depth == 0
    });
    dot.map_or(name, |dot| &name[dot + 1..])
}

/// Whether a name is one that minifiers give.
#[must_use]
pub fn is_minified(name: &str) -> bool {
    name.chars().take(3).count() <= 2
}

/// A script's address without origin, query and what changes with each build: `/assets/main.<hash>.js`.
#[must_use]
pub fn file(url: &str) -> String {
    if let Some(scheme @ ("blob" | "data")) = url.split_once(':').map(|(scheme, _)| scheme) {
        return format!("<{scheme}>");
    }
    let (_, path) = super::origin::parts(url);
    let path = path.replace('\\', "/");
    let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(folder, name)| (folder, name));
    let mut result = String::with_capacity(path.len());
    for segment in folder.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        result.push('/');
        result.push_str(&folder_name(segment));
    }
    result.push('/');
    result.push_str(&file_name(name));
    result
}

fn folder_name(segment: &str) -> String {
    match classify(segment) {
        Some(token) => format!("<{}>", token.name()),
        None if is_random(segment) => "<id>".to_owned(),
        None => segment.to_owned(),
    }
}

/// `main.3f2a9c1b.js`, `index-BxY12abc.js`, `847.chunk.js`, `vendors~main.abc123.js`.
fn file_name(name: &str) -> String {
    let (stem, extension) = name.split_once('.').map_or((name, ""), |(stem, _)| {
        name.rsplit_once('.').filter(|(_, extension)| !extension.contains('-')).unwrap_or((stem, ""))
    });
    // Rollup and esbuild end a name with a hash of eight characters, hyphens and underscores among them.
    if let Some((rest, hash)) = stem.char_indices().rev().nth(7).map(|(at, _)| stem.split_at(at))
        && rest.ends_with(['-', '.'])
        && is_random(hash)
    {
        return join(&format!("{}<hash>", parts_of(rest)), extension);
    }
    join(&parts_of(stem), extension)
}

fn join(stem: &str, extension: &str) -> String {
    if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
}

fn parts_of(stem: &str) -> String {
    let mut result = String::with_capacity(stem.len());
    for part in stem.split_inclusive(['.', '-', '_', '~']) {
        let word = part.trim_end_matches(['.', '-', '_', '~']);
        match classify(word) {
            _ if is_hash(word) => result.push_str("<hash>"),
            Some(Token::Number) => result.push_str("<number>"),
            Some(Token::Id | Token::Uuid) => result.push_str("<id>"),
            _ => result.push_str(word),
        }
        result.push_str(&part[word.len()..]);
    }
    result
}

/// Whether a part of a name is a build's hash: hexadecimal, six characters or more.
#[must_use]
pub fn is_hash(word: &str) -> bool {
    let is_hex = word.len() >= 6 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = word.bytes().any(|byte| byte.is_ascii_digit());
    is_hex && (is_mixed || word.len() >= 16) || word.len() == 8 && is_random(word)
}

/// Whether characters are so mixed that nobody chose them: figures among letters, or capitals inside.
fn is_random(word: &str) -> bool {
    if word.len() < 8 || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return false;
    }
    let letters = |is: fn(&u8) -> bool| word.bytes().filter(&is).count();
    let (upper, lower, digits) =
        (letters(u8::is_ascii_uppercase), letters(u8::is_ascii_lowercase), letters(u8::is_ascii_digit));
    if word.contains(['-', '_']) {
        return upper > 0 && lower + digits > 0 && !is_camel_case(word);
    }
    match (upper, digits) {
        (0, 0) => false,
        // `checkout`, `UserList` and `userList` are words; `step2of3` may be one.
        (_, 0) => lower == 0 || !is_camel_case(word),
        (0, digits) => digits >= 2 && lower >= 2,
        _ => true,
    }
}

/// Every capital begins a word of three letters or more.
fn is_camel_case(word: &str) -> bool {
    let mut since_capital = 3;
    for byte in word.bytes() {
        if byte.is_ascii_uppercase() || b"-_".contains(&byte) {
            if since_capital < 3 {
                return false;
            }
            since_capital = usize::from(byte.is_ascii_uppercase());
        } else {
            since_capital += 1;
        }
    }
    since_capital >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_called_the_same_in_every_engine() {
        let cases = [
            ("Cart.render", "render"),
            ("Foo.prototype.testMethod", "testMethod"),
            ("new Cart", "Cart"),
            ("new ui.Cart", "Cart"),
            ("Object.d [as add]", "d"),
            ("I.e.fn.(anonymous function) [as index]", ""),
            ("Object.<anonymous>", ""),
            ("test/<", ""),
            ("[2]</Bar.prototype._baz/</<", ""),
            (".plugin/e.fn[c]/<", ""),
            ("init/this.open", "open"),
            ("Foo.get total [as total]", "total"),
            ("get total", "total"),
            ("Foo.[Symbol.iterator]", "[Symbol.iterator]"),
            ("Foo.#pay", "#pay"),
            ("global code", ""),
            ("module code", ""),
            ("Global code", ""),
            ("eval code", ""),
            ("eval", ""),
            ("Anonymous function", ""),
            ("(anonymous)", ""),
            ("?", ""),
            ("", ""),
            ("HTMLButtonElement.onclick", "onclick"),
        ];
        for (name, expected) in cases {
            assert_eq!(function(name), expected, "{name}");
        }
    }

    #[test]
    fn functions_of_web_assembly_keep_their_whole_name() {
        for (name, expected) in [
            ("MyClass::bar(int) const", "MyClass::bar(int) const"),
            ("plonk_wasm.wasm.alloc::raw_vec::handle_error", "alloc::raw_vec::handle_error"),
            ("<?>.wasm-function[_eggs]", "_eggs"),
            ("<?>.wasm-function[12]", ""),
            ("wasm-function[12]", ""),
            ("wasm-stub", ""),
        ] {
            assert_eq!(wasm_function(name), expected, "{name}");
        }
    }

    #[test]
    fn files_are_called_the_same_in_every_build() {
        let cases = [
            ("https://a.b/static/js/main.3f2a9c1b.js?v=2", "/static/js/main.<hash>.js"),
            ("https://cdn.c/main.4a4119c3cdfd10266d84.js", "/main.<hash>.js"),
            ("https://a.b/assets/index-BxY12abc.js", "/assets/index-<hash>.js"),
            ("https://a.b/assets/index-DiwrgTDa.js", "/assets/index-<hash>.js"),
            ("https://a.b/assets/index-D-x9_3Ab.js", "/assets/index-<hash>.js"),
            ("https://a.b/main-5RQ3ZKXM.js", "/main-<hash>.js"),
            ("https://a.b/847.3f2a9c1b.chunk.js", "/<number>.<hash>.chunk.js"),
            ("https://a.b/page-UserList.js", "/page-UserList.js"),
            ("https://a.b/my-checkout.js", "/my-checkout.js"),
            ("https://a.b/a/list-my-items.js", "/a/list-my-items.js"),
            ("https://a.b/1.42.0/app.min.js", "/<number>/app.min.js"),
            ("https://a.b/_next/static/k3JdP_9xQ2m/pages/cart.js", "/_next/static/<id>/pages/cart.js"),
            ("blob:http://a.b/abfc40e9-4742-44ed-9dcd-af8f99a29379", "<blob>"),
            ("webpack://shop/./src/cart.js", "/shop/src/cart.js"),
            ("http://localhost:5000/", "/"),
            ("api.tsx", "/api.tsx"),
        ];
        for (url, expected) in cases {
            assert_eq!(file(url), expected, "{url}");
        }
    }
}
