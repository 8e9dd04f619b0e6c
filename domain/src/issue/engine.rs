//! What the engines say, in one form: each words the same error in its own way.

/// An error that an engine throws by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The error's type, the same in every engine.
    pub kind: &'static str,
    pub form: &'static str,
    /// The property or name it is about; empty when not every engine tells.
    pub subject: String,
}

impl Known {
    /// `property of undefined: total`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.subject.is_empty() {
            self.form.to_owned()
        } else {
            format!("{}: {}", self.form, self.subject)
        }
    }
}

const MAX_BYTES: usize = 1_024;

/// Recognizes an engine's own error.
#[must_use]
pub fn recognize(kind: &str, message: &str) -> Option<Known> {
    let message = crate::session::fold::cut(message, MAX_BYTES).trim();
    let read: &[fn(&str) -> Option<Known>] = match kind {
        "TypeError" => &[nullish, not_a_function, by_phrase],
        "ReferenceError" => &[not_defined, by_phrase],
        "QuotaExceededError" => return Some(known("QuotaExceededError", "quota exceeded", "")),
        "AbortError" => return Some(known("AbortError", "aborted", "")),
        _ => &[by_phrase],
    };
    read.iter().find_map(|read| read(message)).filter(|known| fits(kind, known.kind))
}

/// Whether an error of the type `given` can be one of the type `known`: the engines disagree on stack overflows alone, and what
/// has lost its type is told by its text.
fn fits(given: &str, known: &str) -> bool {
    given == known || given == "InternalError" || matches!(given, "" | "Error")
}

fn known(kind: &'static str, form: &'static str, subject: &str) -> Known {
    Known { kind, form, subject: last_part(subject).to_owned() }
}

/// The last name of `a.b.c`, `this.#c`, `a[0].c()`: the others may be minified. A computed one is not known.
fn last_part(path: &str) -> &str {
    let path = path.trim().trim_end_matches(';');
    let path = path.split(['(', '=']).next().filter(|head| !head.is_empty()).unwrap_or(path).trim();
    let path = if path.starts_with("intermediate value") { "" } else { path };
    let name = path.rsplit(['.', '?']).next().unwrap_or_default();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "_$#".contains(c));
    if is_name { name } else { "" }
}

/// A name on its own is minified in a production build; one after a dot is not.
fn called(path: &str) -> &str {
    let name = last_part(path);
    let is_property = path.contains('.');
    if is_property || !super::name::is_minified(name) { name } else { "" }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.find(after).map(|end| &rest[..end])
}

/// Reading or writing a property of undefined or null.
fn nullish(message: &str) -> Option<Known> {
    const OF: [(&str, &str); 2] = [("undefined", "property of undefined"), ("null", "property of null")];
    for (value, form) in OF {
        if let Some(subject) = property_of(message, value) {
            return Some(known("TypeError", form, subject));
        }
    }
    None
}

/// The property, empty when it is not told; `None` when the message is another.
fn property_of<'a>(message: &'a str, value: &str) -> Option<&'a str> {
    let ends = |suffix: &str| message.strip_suffix(value).is_some_and(|rest| rest.ends_with(suffix));
    // V8: `Cannot read properties of undefined (reading 'x')`, and before 2021 `Cannot read property 'x' of undefined`.
    if message.starts_with("Cannot read propert") || message.starts_with("Cannot set propert") {
        let is_of = message.contains(&format!(" of {value}"));
        let subject = between(message, "ing '", "')").or_else(|| between(message, "property '", "' of"));
        return is_of.then_some(subject.unwrap_or_default());
    }
    // SpiderMonkey: `can't access property "x", a.b is undefined`, and `a.b is undefined` when it does not tell.
    if message.starts_with("can't access property ") {
        let subject = between(message, "property \"", "\"").unwrap_or_default();
        return (ends(" is ") || ends(" of ")).then_some(subject);
    }
    if ends(" is ") && !message[..message.len() - value.len() - 4].contains(' ') {
        return Some("");
    }
    // JavaScriptCore: `undefined is not an object (evaluating 'a.b.x')`.
    let rest = message.trim_start_matches('\'').strip_prefix(value)?.trim_start_matches('\'');
    let evaluated = rest.strip_prefix(" is not an object")?;
    Some(between(evaluated, "(evaluating '", "')").filter(|path| path.contains('.')).unwrap_or_default())
}

fn not_a_function(message: &str) -> Option<Known> {
    if message.contains(" is not iterable") || message.starts_with("undefined is not a function (near") {
        return Some(known("TypeError", "not iterable", ""));
    }
    if let Some(path) =
        message.split(" is not a constructor").next().filter(|path| path.len() < message.len())
    {
        let path = between(message, "(evaluating 'new ", "'").unwrap_or(path);
        return Some(known("TypeError", "not a constructor", called(path)));
    }
    if let Some(method) = between(message, "has no method '", "'") {
        return Some(known("TypeError", "not a function", method));
    }
    let path = message.split(" is not a function").next().filter(|path| path.len() < message.len())?;
    let path = path.rsplit(')').next().unwrap_or_default();
    let path = if path == "undefined" { "" } else { path };
    Some(known("TypeError", "not a function", called(path)))
}

fn not_defined(message: &str) -> Option<Known> {
    let is_early = message.contains("before initialization") || message.contains("uninitialized variable");
    if is_early {
        return Some(known("ReferenceError", "used before initialization", ""));
    }
    let name = message
        .strip_suffix(" is not defined")
        .or_else(|| message.strip_prefix("Can't find variable: "))
        .or_else(|| message.strip_suffix(" is undefined"))?;
    Some(known("ReferenceError", "not defined", name.trim_matches(['\'', '"'])))
}

/// Type, form and what messages begin with or hold.
type Phrases = (&'static str, &'static str, &'static [&'static str]);

fn by_phrase(message: &str) -> Option<Known> {
    PHRASES
        .iter()
        .find(|(_, _, phrases)| phrases.iter().any(|phrase| message.starts_with(phrase)))
        .map(|(kind, form, _)| known(kind, form, ""))
        .or_else(|| invalid_json(message))
}

fn invalid_json(message: &str) -> Option<Known> {
    let is_json = message.starts_with("JSON.parse:")
        || message.starts_with("JSON Parse error:")
        || message.ends_with(" is not valid JSON")
        || message.contains(" in JSON at position ")
        || message.contains(" JSON input");
    is_json.then(|| known("SyntaxError", "invalid JSON", ""))
}

static PHRASES: &[Phrases] = &[
    (
        "TypeError",
        "module could not be loaded",
        &[
            "Failed to fetch dynamically imported module",
            "error loading dynamically imported module",
            "Importing a module script failed",
        ],
    ),
    (
        "TypeError",
        "request failed",
        &[
            "Failed to fetch",
            "NetworkError when attempting to fetch resource",
            "Load failed",
            "The network connection was lost",
            "The Internet connection appears to be offline",
            "A server with the specified hostname could not be found",
            "Could not connect to the server",
            "Network request failed",
        ],
    ),
    ("RuntimeError", "unreachable", &["unreachable", "Unreachable code should not be executed"]),
    (
        "RuntimeError",
        "memory access out of bounds",
        &["memory access out of bounds", "index out of bounds", "Out of bounds memory access"],
    ),
    ("RuntimeError", "division by zero", &["divide by zero", "integer divide by zero", "Division by zero"]),
    ("RangeError", "stack overflow", &["Maximum call stack size exceeded", "too much recursion"]),
    ("Error", "resize observer loop", &["ResizeObserver loop"]),
    (
        "RangeError",
        "invalid array length",
        &[
            "Invalid array length",
            "invalid array length",
            "Array size is not a small enough positive integer",
            "Array length must be a positive integer",
        ],
    ),
    (
        "TypeError",
        "cyclic JSON",
        &[
            "Converting circular structure to JSON",
            "cyclic object value",
            "JSON.stringify cannot serialize cyclic structures",
        ],
    ),
    (
        "TypeError",
        "assignment to what is read-only",
        &[
            "Assignment to constant variable",
            "invalid assignment to const",
            "Attempted to assign to readonly property",
            "Cannot assign to read only property",
        ],
    ),
    (
        "TypeError",
        "nothing to destructure",
        &[
            "Cannot destructure ",
            "undefined has no properties",
            "null has no properties",
            "Right side of assignment cannot be destructured",
        ],
    ),
    (
        "TypeError",
        "invalid URL",
        &["Failed to construct 'URL': Invalid URL", "URL constructor: ", "Invalid URL"],
    ),
    ("URIError", "malformed URI", &["URI malformed", "malformed URI sequence", "URI error"]),
    (
        "AggregateError",
        "all promises rejected",
        &["All promises were rejected", "No Promise in Promise.any was resolved"],
    ),
    (
        "NotFoundError",
        "node is not there",
        &[
            "Failed to execute 'removeChild' on 'Node'",
            "Failed to execute 'insertBefore' on 'Node'",
            "Node.removeChild: ",
            "Node.insertBefore: ",
            "The object can not be found here",
        ],
    ),
];

/// Types whose messages the engines write. What a page throws under these names is told by where it was thrown.
#[must_use]
pub fn is_built_in(kind: &str) -> bool {
    const TYPES: [&str; 24] = [
        "TypeError",
        "RangeError",
        "ReferenceError",
        "SyntaxError",
        "URIError",
        "EvalError",
        "InternalError",
        "RuntimeError",
        "CompileError",
        "LinkError",
        "AbortError",
        "DataCloneError",
        "DataError",
        "InvalidAccessError",
        "InvalidCharacterError",
        "InvalidStateError",
        "NetworkError",
        "NotAllowedError",
        "NotFoundError",
        "NotSupportedError",
        "QuotaExceededError",
        "SecurityError",
        "TimeoutError",
        "HierarchyRequestError",
    ];
    TYPES.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type, form and subject, and who says it how.
    const WORDINGS: &[(&str, &str, &[&str])] = &[
        (
            "TypeError",
            "property of undefined: total",
            &[
                "Cannot read properties of undefined (reading 'total')",
                "Cannot read property 'total' of undefined",
                "Cannot set properties of undefined (setting 'total')",
                "can't access property \"total\", a.b is undefined",
                "undefined is not an object (evaluating 'a.b.total')",
                "undefined is not an object (evaluating 'a.b.total()')",
                "undefined is not an object (evaluating 'a.total = 3')",
            ],
        ),
        (
            "TypeError",
            "property of null: undef",
            &[
                "Cannot read properties of null (reading 'undef')",
                "can't access property \"undef\", x is null",
                "null is not an object (evaluating 'x.undef')",
                "'null' is not an object (evaluating 'x.undef')",
            ],
        ),
        ("TypeError", "property of null", &["x is null"]),
        (
            "TypeError",
            "nothing to destructure",
            &[
                "Cannot destructure property 'theme' of 'undefined' as it is undefined.",
                "undefined has no properties",
                "Right side of assignment cannot be destructured",
            ],
        ),
        (
            "TypeError",
            "not a constructor: Widget",
            &[
                "a.Widget is not a constructor",
                "undefined is not a constructor (evaluating 'new a.Widget()')",
            ],
        ),
        (
            "TypeError",
            "not a function: pay",
            &[
                "cart.pay is not a function",
                "this.cart.pay is not a function",
                "(intermediate value).pay is not a function",
                "t.pay is not a function. (In 't.pay()', 't.pay' is undefined)",
                "Object #<Object> has no method 'pay'",
            ],
        ),
        ("TypeError", "not a function", &["t is not a function", "undefined is not a function"]),
        (
            "ReferenceError",
            "not defined: cart",
            &["cart is not defined", "Can't find variable: cart", "'cart' is undefined"],
        ),
        (
            "TypeError",
            "request failed",
            &[
                "Failed to fetch",
                "Failed to fetch (api.example.com)",
                "NetworkError when attempting to fetch resource.",
                "Load failed",
            ],
        ),
        (
            "SyntaxError",
            "invalid JSON",
            &[
                "Unexpected token < in JSON at position 0",
                "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
                "Unexpected end of JSON input",
                "JSON.parse: unexpected character at line 1 column 1 of the JSON data",
                "JSON Parse error: Unrecognized token '<'",
            ],
        ),
        (
            "Error",
            "resize observer loop",
            &[
                "ResizeObserver loop limit exceeded",
                "ResizeObserver loop completed with undelivered notifications.",
            ],
        ),
    ];

    #[test]
    fn engines_say_one_thing_in_many_words() {
        for (kind, text, messages) in WORDINGS {
            for message in *messages {
                assert_eq!(
                    recognize(kind, message).map(|known| known.text()).as_deref(),
                    Some(*text),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn a_type_that_engines_name_differently_is_one() {
        let overflow = |kind, message| recognize(kind, message).unwrap();
        assert_eq!(
            overflow("InternalError", "too much recursion"),
            overflow("RangeError", "Maximum call stack size exceeded.")
        );
    }

    #[test]
    fn the_pages_own_words_are_none_of_the_engines() {
        for (kind, message) in [
            ("Error", "payment declined"),
            ("TypeError", "the cart is of no use"),
            ("HttpError", "Failed to fetch"),
        ] {
            assert_eq!(recognize(kind, message), None, "{message}");
        }
    }
}
