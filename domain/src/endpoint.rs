//! Paths of requests as templates: `/users/123/orders/7f3a…` becomes `/users/{id}/orders/{hash}`.
//!
//! Issues go by [`template`], which never changes. Statistics go by [`name`], which looks into the parts of a segment too; and whoever shows
//! them puts together what a project's own templates ([`own`]) and what is there tell ([`learn`]).

pub mod learn;
pub mod own;
mod part;

use std::borrow::Cow;

use crate::session::fold::cut;
use crate::token::{Token, classify};

const MAX_BYTES: usize = 512;
const MAX_SEGMENTS: usize = 32;

/// The template of a path or an address: no origin, query or fragment; segments that name one thing become placeholders.
/// At most 512 bytes and 32 segments of the path count.
#[must_use]
pub fn template(url: &str) -> String {
    by_segments(url, |segment| placeholder(segment).map(Cow::Borrowed))
}

/// As [`template`], and placeholders for parts of segments: `/products/red-shoes-8842` becomes `/products/red-shoes-{id}`.
#[must_use]
pub fn name(url: &str) -> String {
    by_segments(url, |segment| match placeholder(segment) {
        Some(placeholder) => Some(Cow::Borrowed(placeholder)),
        None => part::placeholders(segment).map(Cow::Owned),
    })
}

fn by_segments(url: &str, of: impl Fn(&str) -> Option<Cow<'static, str>>) -> String {
    let path = url.find(['?', '#']).map_or(url, |at| &url[..at]);
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let path = cut(path, MAX_BYTES);
    let mut template = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index == MAX_SEGMENTS {
            template.push_str("/…");
            break;
        }
        if index > 0 {
            template.push('/');
        }
        match of(segment) {
            Some(placeholder) => template.push_str(&placeholder),
            None => template.push_str(segment),
        }
    }
    template
}

/// What stands for a segment; `None` when it names a kind of thing.
fn placeholder(segment: &str) -> Option<&'static str> {
    // An `@` comes encoded from most clients.
    let is_encoded_email =
        segment.contains("%40") && classify(&segment.replace("%40", "@")) == Some(Token::Email);
    if is_encoded_email {
        return Some("{email}");
    }
    // Versions of an interface are part of its name.
    let is_version = segment.strip_prefix('v').is_some_and(|number| number.len() <= 3);
    match classify(segment)? {
        Token::Number if is_version => None,
        Token::Number | Token::Id | Token::Time | Token::Ip => Some("{id}"),
        Token::Uuid => Some("{uuid}"),
        Token::Hash => Some("{hash}"),
        Token::Date => Some("{date}"),
        Token::Email => Some("{email}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_one_thing_becomes_a_placeholder() {
        let cases = [
            ("/users/123", "/users/{id}"),
            ("https://api.example/v2/users/123/orders?page=2#x", "/v2/users/{id}/orders"),
            ("/files/abfc40e9-4742-44ed-9dcd-af8f99a29379/raw", "/files/{uuid}/raw"),
            ("/commits/9e107d9d372bb6826bd81d3542a419d6", "/commits/{hash}"),
            ("/reports/2024-01-31", "/reports/{date}"),
            ("/by-email/ana%40example.org", "/by-email/{email}"),
            ("/customers/cus_9s6XKzkNRiz8i3", "/customers/{id}"),
            ("https://api.example", "/"),
            ("/", "/"),
            ("", ""),
        ];
        for (url, expected) in cases {
            assert_eq!(template(url), expected, "{url}");
        }
        assert!(template(&"/a".repeat(10_000)).len() < 80);
    }

    #[test]
    fn names_look_into_the_parts_of_segments() {
        let cases = [
            ("/products/red-shoes-8842", "/products/red-shoes-{id}"),
            ("/products/8842-red-shoes?x=1", "/products/{id}-red-shoes"),
            ("/a/red-abfc40e9-4742-44ed-9dcd-af8f99a29379", "/a/red-{uuid}"),
            ("/build/main-3f2a9c1b.js", "/build/main-{hash}.js"),
            ("/files/12345.json", "/files/{id}.json"),
            ("/browse/DEMO-17", "/browse/{id}"),
            ("/news/2024-01-31-a-day", "/news/{date}-a-day"),
            ("/basic-auth-for-rest-apis", "/basic-auth-for-rest-apis"),
            ("/top-10/iso-8859", "/top-10/iso-{id}"),
            ("/api/v2/report-v2", "/api/v2/report-v2"),
            ("/users/123", "/users/{id}"),
            ("/-", "/-"),
        ];
        for (url, expected) in cases {
            assert_eq!(name(url), expected, "{url}");
        }
    }
}
