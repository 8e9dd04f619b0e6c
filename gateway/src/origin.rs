//! Which pages may send to a project.

/// Whether `origin` (the request's header, absent outside browsers) is in the project's list. An empty list takes all.
///
/// An entry is an origin as browsers write it (`https://shop.example.com`, `http://localhost:8080`), or one with `*.` before
/// the host, which takes every subdomain of it but not the host itself.
pub(crate) fn allows(allowed: &[String], origin: Option<&str>) -> bool {
    allowed.is_empty() || origin.is_some_and(|origin| allowed.iter().any(|entry| matches(entry, origin)))
}

fn matches(entry: &str, origin: &str) -> bool {
    let entry = entry.trim_end_matches('/');
    if entry == "*" {
        return true;
    }
    match entry.split_once("://*.") {
        None => entry.eq_ignore_ascii_case(origin),
        Some((scheme, parent)) => origin.split_once("://").is_some_and(|(origin_scheme, host)| {
            scheme.eq_ignore_ascii_case(origin_scheme) && is_below(host, parent)
        }),
    }
}

fn is_below(host: &str, parent: &str) -> bool {
    let Some(dot) = host.len().checked_sub(parent.len() + 1) else {
        return false;
    };
    dot > 0
        && host.is_char_boundary(dot)
        && host.as_bytes()[dot] == b'.'
        && host[dot + 1..].eq_ignore_ascii_case(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_match_whole_or_below() {
        let list = [
            "https://shop.example.com".to_owned(),
            "https://*.wild.example/".to_owned(),
            "http://localhost:8080".to_owned(),
        ];
        for good in [
            "https://shop.example.com",
            "https://a.wild.example",
            "https://a.b.wild.example",
            "http://localhost:8080",
        ] {
            assert!(allows(&list, Some(good)), "{good}");
        }
        for bad in [
            "http://shop.example.com",
            "https://shop.example.com:8443",
            "https://evil-shop.example.com",
            "https://shop.example.com.evil.test",
            "https://wild.example",
            "https://evilwild.example",
            "https://.wild.example",
            "http://a.wild.example",
            "https://a.wild.example:444",
            "http://localhost",
            "null",
            "",
        ] {
            assert!(!allows(&list, Some(bad)), "{bad}");
        }
        assert!(!allows(&list, None));
        assert!(allows(&[], None));
    }
}
