//! What a piece of text is: a number, a uuid, a hash, a date. Shared by whatever makes templates of texts and paths.

/// A piece that differs from one time to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Uuid,
    Email,
    Ip,
    Date,
    Time,
    Number,
    Hash,
    /// Letters and digits without sense.
    Id,
}

impl Token {
    /// Lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::Time => "time",
            Self::Number => "number",
            Self::Hash => "hash",
            Self::Id => "id",
        }
    }
}

const MAX_BYTES: usize = 300;

/// A test, and what passes it.
type Kind = (fn(&str) -> bool, Token);

/// What the whole of `text` is; `None` for words. Constant passes over at most 300 bytes.
#[must_use]
pub fn classify(text: &str) -> Option<Token> {
    if text.is_empty() || text.len() > MAX_BYTES {
        return (text.len() > MAX_BYTES).then_some(Token::Id);
    }
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if is_email(text) {
        return Some(Token::Email);
    }
    if !has_digit {
        return (text.contains("::") && is_ip_v6(text)).then_some(Token::Ip);
    }
    let kinds: [Kind; 8] = [
        (is_ip, Token::Ip),
        (is_date, Token::Date),
        (is_number, Token::Number),
        (is_uuid, Token::Uuid),
        (is_time, Token::Time),
        (is_hash, Token::Hash),
        (is_hexadecimal, Token::Number),
        (is_id, Token::Id),
    ];
    kinds.iter().find(|(is, _)| is(text)).map(|(_, token)| *token)
}

/// Digits with separators, sign, exponent or unit: `-1,234.5e6`, `250ms`, `99%`, `1.2.3`.
fn is_number(text: &str) -> bool {
    const UNITS: [&str; 16] =
        ["", "%", "ms", "s", "m", "h", "d", "px", "em", "rem", "b", "kb", "mb", "gb", "kib", "mib"];
    let digits = text.strip_prefix(['-', '+', '#', '$', '€', '£']).unwrap_or(text);
    let digits = digits.strip_prefix(['v', 'V']).unwrap_or(digits);
    let end = digits.bytes().take_while(|byte| byte.is_ascii_digit() || b".,_".contains(byte)).count();
    let (number, unit) = digits.split_at(end);
    let begins = number.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    let has_digit = number.bytes().any(|byte| byte.is_ascii_digit());
    begins && has_digit && (UNITS.contains(&unit.to_ascii_lowercase().as_str()) || is_exponent(unit))
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['-', '+']).unwrap_or(rest));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_uuid(text: &str) -> bool {
    let bytes = text.trim_matches(['{', '}']).as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_ip(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, port)| {
        if host.contains('.') && port.parse::<u16>().is_ok() { host } else { text }
    });
    host.parse::<std::net::Ipv4Addr>().is_ok() || is_ip_v6(text)
}

fn is_ip_v6(text: &str) -> bool {
    let text = text.strip_prefix('[').and_then(|text| text.split(']').next()).unwrap_or(text);
    text.matches(':').count() > 1 && text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// `2024-01-31`, `31.01.2024`, `1/31/24`, each with or without a time after `T`.
fn is_date(text: &str) -> bool {
    let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
    if time.is_some_and(|time| !is_time(time)) {
        return false;
    }
    let parts: Vec<&str> = date.split(['-', '/', '.']).take(4).collect();
    let is_part = |part: &&str| {
        (1..=4).contains(&part.len()) && part.len() != 3 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    // `1.42.0` is a version.
    let has_year = parts.iter().any(|part| part.len() == 4);
    parts.len() == 3 && parts.iter().all(is_part) && (has_year || date.contains('/') || date.contains('-'))
}

/// `10:30`, `10:30:05.123Z`, `10:30+02:00`.
fn is_time(text: &str) -> bool {
    let clock = text.trim_end_matches('Z');
    let clock = clock.split(['+', '-']).next().unwrap_or_default();
    let mut parts = clock.split(':');
    let is_short =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes, seconds) = (parts.next(), parts.next(), parts.next());
    let seconds = seconds.map(|seconds| seconds.split(['.', ',']).next().unwrap_or_default());
    hours.is_some_and(is_short)
        && minutes.is_some_and(is_short)
        && seconds.is_none_or(is_short)
        && parts.next().is_none()
}

/// Hexadecimal digits, letters and figures among them: a commit, a digest, an object id.
fn is_hash(text: &str) -> bool {
    text.len() >= 7
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_hexadecimal(text: &str) -> bool {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Letters and digits mixed more than words do: `cus_9s6XKzkNRiz8i3`, `K8f3kd92a`; not `utf8`, `h264`, `ES2015`.
fn is_id(text: &str) -> bool {
    let body = text.rsplit_once('_').map_or(text, |(_, body)| body);
    if body.len() < 8 || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    let is_digit: Vec<bool> = body.bytes().map(|byte| byte.is_ascii_digit()).collect();
    let changes = is_digit.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let digits = is_digit.iter().filter(|is| **is).count();
    changes >= 2 && digits >= 2 || changes >= 1 && digits >= 4
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let is_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte) || !byte.is_ascii()
    };
    !name.is_empty()
        && name.bytes().all(is_name)
        && host.split('.').count() > 1
        && host.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || !byte.is_ascii())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let cases = [
            ("12", Some(Token::Number)),
            ("-1,234.5", Some(Token::Number)),
            ("1e9", Some(Token::Number)),
            ("250ms", Some(Token::Number)),
            ("1.2.3", Some(Token::Number)),
            ("1.42.0", Some(Token::Number)),
            ("31.01.2024", Some(Token::Date)),
            ("0x1f2a", Some(Token::Number)),
            ("abfc40e9-4742-44ed-9dcd-af8f99a29379", Some(Token::Uuid)),
            ("192.168.0.1:80", Some(Token::Ip)),
            ("fe80::1", Some(Token::Ip)),
            ("::1", Some(Token::Ip)),
            ("2024-01-31", Some(Token::Date)),
            ("2024-01-31T10:30:05.123Z", Some(Token::Date)),
            ("10:30:05", Some(Token::Time)),
            ("3f2a9c1b", Some(Token::Hash)),
            ("9e107d9d372bb6826bd81d3542a419d6", Some(Token::Hash)),
            ("cus_9s6XKzkNRiz8i3", Some(Token::Id)),
            ("ana@example.org", Some(Token::Email)),
            ("", None),
            ("user", None),
            ("utf8", None),
            ("h264", None),
            ("ES2015", None),
            ("deadbeef", None),
            ("a@b", None),
        ];
        for (text, token) in cases {
            assert_eq!(classify(text), token, "{text}");
        }
    }
}
