//! Texts for people. What users of the observed app wrote is hostile: it gets shorter, loses what nobody sees, and each kind of channel
//! escapes it in its own way.

use playhead_domain::calendar;

use super::{Links, Message};

/// Facts that a message has at most.
const MAX_FACTS: usize = 10;
const MAX_TITLE: usize = 500;
const MAX_SENTENCE: usize = 1_000;
const MAX_NAME: usize = 100;
const MAX_FACT: usize = 300;

/// The message with every text in one line, bounded, and without characters that nobody sees.
pub(crate) fn cleaned(message: &Message) -> Message {
    let facts = message.facts.iter().take(MAX_FACTS);
    let title = line(&message.title, MAX_TITLE);
    Message {
        id: message.id.clone(),
        transition: message.transition,
        priority: message.priority,
        project: line(&message.project, MAX_NAME),
        rule: line(&message.rule, MAX_NAME),
        title: if title.is_empty() { "(no title)".to_owned() } else { title },
        culprit: line(&message.culprit, MAX_TITLE),
        why: line(&message.why, MAX_SENTENCE),
        facts: facts.map(|(name, value)| (line(name, MAX_NAME), line(value, MAX_FACT))).collect(),
        since_ms: message.since_ms,
        links: Links {
            subject: message.links.subject.clone(),
            replay: message.links.replay.clone(),
            rule: message.links.rule.clone(),
        },
        issue: message.issue,
        taken: message.taken.clone(),
    }
}

/// One line of at most `limit` UTF-16 units, which is how every one of these services counts, or more generously.
pub(crate) fn line(text: &str, limit: usize) -> String {
    let visible = text.chars().take(limit * 4).filter(|&c| c.is_whitespace() || !is_invisible(c));
    let visible: String = visible.collect();
    shorten(&visible.split_whitespace().collect::<Vec<_>>().join(" "), limit)
}

/// Control characters, and those that change the direction of what follows or hide in it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// At most `limit` UTF-16 units, with an ellipsis where something was left out.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().map(char::len_utf16).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

/// Every e-mail address as its first letter and its domain: those who may read the log of deliveries need not know recipients.
pub(crate) fn without_addresses(text: &str) -> String {
    let words = text.split_inclusive(|c: char| c.is_whitespace() || "<>()[],;:\"".contains(c));
    let masked = words.map(|word| match (word.chars().next(), word.rsplit_once('@')) {
        (Some(first), Some((user, domain))) if !user.is_empty() => format!("{first}…@{domain}"),
        _ => word.to_owned(),
    });
    masked.collect()
}

/// Escaped by `escape` and at most `limit` long after that, never cut within an escape.
pub(crate) fn escaped(text: &str, limit: usize, escape: impl Fn(&str) -> String) -> String {
    let mut budget = limit;
    loop {
        let candidate = escape(&shorten(text, budget));
        let length = candidate.encode_utf16().count();
        if length <= limit || budget == 0 {
            return candidate;
        }
        budget = budget.saturating_sub((length - limit).div_ceil(6).max(1));
    }
}

/// For HTML, in text and in attributes between double quotes.
pub(crate) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// `2026-01-01 12:00:00 UTC`: for people.
pub(crate) fn readable(ms: i64) -> String {
    utc(ms).replace('T', " ").replace('Z', " UTC")
}

/// `2026-01-01T12:00:00Z`: for programs.
pub(crate) fn utc(ms: i64) -> String {
    let (day, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) / 1_000);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", calendar::date(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_visible_line_within_their_length() {
        assert_eq!(line(" a\r\nBcc: x\u{0}\t b\u{202e}c\u{200b} ", 50), "a Bcc: x bc");
        assert_eq!(line("aaaa", 4), "aaaa");
        assert_eq!(line("aaaaa", 4), "aaa…");
        // Outside the basic plane a character counts twice.
        assert_eq!(line("😀😀😀", 5), "😀😀…");
        assert_eq!(line(&"x".repeat(1 << 20), 100).encode_utf16().count(), 100);
    }

    #[test]
    fn addresses_keep_their_first_letter_and_domain() {
        assert_eq!(without_addresses("ann@example.com"), "a…@example.com");
        let said = "550 <ann.b@example.com>: unknown, to=<b@x.test> (cy+1@x.test) at @ 10";
        assert_eq!(
            without_addresses(said),
            "550 <a…@example.com>: unknown, to=<b…@x.test> (c…@x.test) at @ 10"
        );
    }

    #[test]
    fn what_is_escaped_fits_and_is_not_cut_within_an_escape() {
        for length in 0..40 {
            let text = escaped(&"<".repeat(30), length, html);
            assert!(text.encode_utf16().count() <= length.max(1), "{length}: {text}");
            assert_eq!(text.matches('&').count(), text.matches(';').count(), "{text}");
        }
        assert_eq!(escaped("a<b", 100, html), "a&lt;b");
    }

    #[test]
    fn times_are_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_268_800_000, "2026-01-01T12:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_868_799_000, "2000-02-29T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(ms), text);
        }
    }
}
