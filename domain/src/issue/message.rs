//! Messages as templates: what differs from one time to the next becomes a placeholder.

use crate::session::fold::cut;
use crate::token::classify;

/// What of a message counts; the rest is cut before.
pub const MAX_BYTES: usize = 1_024;
const MAX_WORDS: usize = 12;

/// The template of a message: its first kilobyte, one line, with `<uuid>`, `<hash>`, `<number>`, `<date>`, `<time>`, `<email>`, `<ip>`,
/// `<url>`, `<id>` and `<quoted>` for what they stand for. One pass over bounded text.
#[must_use]
pub fn parametrize(message: &str) -> String {
    let mut rest = cut(message, MAX_BYTES).trim();
    let mut template = String::with_capacity(rest.len());
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            _ if first.is_whitespace() || first.is_control() => {
                if !template.ends_with(' ') {
                    template.push(' ');
                }
                first.len_utf8()
            }
            _ if let Some(length) = quoted(rest, first, before) => {
                template.push_str("<quoted>");
                length
            }
            _ if is_part(first) => word(rest, &mut template),
            _ => {
                template.push(first);
                first.len_utf8()
            }
        };
        before = rest[..taken].chars().next_back().unwrap_or(' ');
        rest = &rest[taken..];
    }
    template.truncate(template.trim_end().len());
    template
}

/// The words of a template that its author wrote: lower-case ones, the first, which may be a code (`NG0100`), and a status. Names,
/// which are written with capitals, and whatever else holds figures or signs are left out. At most 12 words.
#[must_use]
pub fn words(template: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for (index, word) in template.split_whitespace().enumerate() {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && !"<>".contains(c));
        let is_plain = !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "'’".contains(c));
        let is_code = index == 0
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        let is_status = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain && (index == 0 || word.chars().next().is_some_and(|c| !c.is_uppercase()))
            || is_code
            || is_status
        {
            words.push(word.to_lowercase());
        }
        if words.len() == MAX_WORDS {
            break;
        }
    }
    words.join(" ")
}

/// Bytes of a quotation at the start of `text`, both marks included.
fn quoted(text: &str, first: char, before: char) -> Option<usize> {
    let closing = match first {
        '"' | '`' => first,
        // Elsewhere it is an apostrophe.
        '\'' if !before.is_alphanumeric() => first,
        '“' => '”',
        '‘' => '’',
        '«' => '»',
        '„' => '“',
        _ => return None,
    };
    let inside = &text[first.len_utf8()..];
    let end = inside.char_indices().find(|&(at, c)| {
        c == closing && (c != '\'' || !inside[at + 1..].starts_with(|next: char| next.is_alphanumeric()))
    });
    end.map(|(at, c)| first.len_utf8() + at + c.len_utf8())
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || "_-+#$€£./:@%&=~?\\[".contains(c)
}

/// Writes what stands for the run of characters at the start of `text`. Returns the run's length.
fn word(text: &str, template: &mut String) -> usize {
    let scheme = text.find("://").filter(|&at| {
        at > 0 && text[..at].bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    });
    if scheme.is_some() || text.starts_with("data:") || text.starts_with("blob:") || text.starts_with("www.")
    {
        let end = text.find(|c: char| c.is_whitespace() || "\"'<>`|,;".contains(c)).unwrap_or(text.len());
        let url = text[..end].trim_end_matches(['.', ':', '!', '?', ')', ']']);
        template.push_str("<url>");
        return url.len().max(1);
    }
    let end = text.find(|c: char| !is_part(c) && c != ']').unwrap_or(text.len());
    let run = &text[..end];
    let core = run.trim_end_matches(['.', ':', '?', '-', '=', ']', '[']);
    if core.is_empty() {
        template.push_str(run);
        return run.len();
    }
    match classify(core) {
        Some(_) if is_status(core, template) => template.push_str(core),
        Some(token) => placeholder(template, token.name()),
        None => parts(core, template),
    }
    template.push_str(&run[core.len()..]);
    run.len()
}

/// `status code 404`: which status it was tells errors apart.
fn is_status(number: &str, before: &str) -> bool {
    let is_three = number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit());
    let word = before.trim_end_matches([' ', ':']).rsplit(' ').next().unwrap_or_default();
    is_three && ["status", "code", "http"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `order-1234`, `/users/77/cart`, `items[3].price`: each part for itself.
fn parts(run: &str, template: &mut String) {
    let is_sign = |c: char| !c.is_alphanumeric();
    for part in run.split_inclusive(is_sign) {
        let word = part.trim_end_matches(is_sign);
        match classify(word) {
            Some(token) => placeholder(template, token.name()),
            None => template.push_str(word),
        }
        template.push_str(&part[word.len()..]);
    }
}

fn placeholder(template: &mut String, name: &str) {
    template.push('<');
    template.push_str(name);
    template.push('>');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_differs_becomes_a_placeholder() {
        let cases = [
            ("Loading chunk 847 failed.", "Loading chunk <number> failed."),
            ("order abfc40e9-4742-44ed-9dcd-af8f99a29379 is gone", "order <uuid> is gone"),
            ("no user ana@example.org", "no user <email>"),
            ("timeout of 3000ms exceeded", "timeout of <number> exceeded"),
            ("can't find \"Bob's cart\" here", "can't find <quoted> here"),
            ("Unknown option 'foo': it isn't there", "Unknown option <quoted>: it isn't there"),
            ("GET https://a.b/c?d=1 failed (503)", "GET <url> failed (<number>)"),
            ("(see https://a.b/c)", "(see <url>)"),
            ("host 10.0.0.1 at 2024-01-31T10:30:05Z", "host <ip> at <date>"),
            ("order-1234 of /users/77/cart", "order-<number> of /users/<number>/cart"),
            ("items[3].price is missing", "items[<number>].price is missing"),
            ("commit 9e107d9d372bb682 unknown", "commit <hash> unknown"),
            ("customer cus_9s6XKzkNRiz8i3", "customer <id>"),
            ("line one\n\tline two", "line one line two"),
            ("Request failed with status code 404", "Request failed with status code 404"),
            ("HTTP 503: try 3", "HTTP 503: try <number>"),
            ("  ", ""),
        ];
        for (message, template) in cases {
            assert_eq!(parametrize(message), template, "{message}");
        }
    }

    #[test]
    fn names_and_figures_are_no_words() {
        assert_eq!(words("User Bob not found"), "user not found");
        assert_eq!(
            words(&parametrize("Payment 12 of 'x' declined: card_1 expired")),
            "payment of declined expired"
        );
        assert_eq!(words("Request failed with status code 404"), "request failed with status code 404");
        assert_eq!(words("NG0100: ExpressionChanged after it was checked"), "ng0100 after it was checked");
        assert_eq!(words(""), "");
    }

    proptest! {
        #[test]
        fn any_text_has_a_template_of_bounded_length(message in "\\PC{0,2000}|[ -~\n]{0,2000}") {
            // A placeholder is at most nine times what it stands for.
            prop_assert!(parametrize(&message).len() <= 9 * MAX_BYTES);
        }

        #[test]
        fn numbers_do_not_matter(a: u32, b: u32) {
            prop_assert_eq!(parametrize(&format!("item {a} is gone")), parametrize(&format!("item {b} is gone")));
        }
    }
}
