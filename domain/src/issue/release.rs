//! Which of two releases came later.

use std::cmp::Ordering;

use semver::Version;

/// The order of two releases, if both are versions: `2.4.1`, `v2.4`, `shop@2.4.1-rc.1`. What a build adds (`+7`) does not count.
#[must_use]
pub fn compare(one: &str, other: &str) -> Option<Ordering> {
    Some(version(one)?.cmp_precedence(&version(other)?))
}

/// Names of packages go in front, and numbers that are left out are zero.
fn version(release: &str) -> Option<Version> {
    let text = release.rsplit_once('@').map_or(release, |(_, version)| version).trim();
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let missing = match numbers.split('.').count() {
        // A number alone is a build's, or a date: numbers order it too.
        1 => ".0.0",
        2 => ".0",
        _ => "",
    };
    Version::parse(&format!("{numbers}{missing}{rest}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order_and_names_have_none() {
        for (one, other) in [
            ("2.4.1", "2.10.0"),
            ("v2.4", "2.4.1"),
            ("shop@2.4.1-rc.1", "shop@2.4.1"),
            ("1", "2"),
            ("2.4.1-rc.2", "2.4.1-rc.10"),
            ("20260101", "20260102"),
        ] {
            assert_eq!(compare(one, other), Some(Ordering::Less), "{one} {other}");
            assert_eq!(compare(other, one), Some(Ordering::Greater), "{one} {other}");
        }
        assert_eq!(compare("2.4.0+7", "2.4"), Some(Ordering::Equal));
        for name in ["", "main", "a1b2c3d", "2.x", "1.2.3.4"] {
            assert_eq!(compare(name, "1.0.0"), None, "{name}");
        }
    }
}
