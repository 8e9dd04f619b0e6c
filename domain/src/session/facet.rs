//! By which values sessions can be found without a scan.

use crate::row::SessionSummary;

pub const USER: &str = "user";
pub const EMAIL: &str = "email";
pub const IP: &str = "ip";
pub const PAGE: &str = "page";
pub const RELEASE: &str = "release";
pub const ISSUE: &str = "issue";

/// The longest value, in bytes; longer ones are cut (at a character's end) by writer and reader alike.
pub const MAX_VALUE_BYTES: usize = 512;
/// The most values of one session.
pub const MAX_PER_SESSION: usize = 600;

/// Cuts a value to what is stored.
#[must_use]
pub fn cut(value: &str) -> &str {
    crate::session::fold::cut(value, MAX_VALUE_BYTES)
}

/// A user's name as it is stored and compared: an e-mail address in any case, any other id exactly.
#[must_use]
pub fn user_name(name: &str) -> String {
    if name.contains('@') { cut(&name.to_lowercase()).to_owned() } else { cut(name).to_owned() }
}

/// Facet and value of everything that the summary says now. A page counts as its full URL (without query) and as its path.
#[must_use]
pub fn of(summary: &SessionSummary) -> Vec<(&'static str, String)> {
    let mut facets = Vec::new();
    let mut add = |facet, value: &str| {
        if !value.is_empty() {
            facets.push((facet, cut(value).to_owned()));
        }
    };
    if let Some(user) = &summary.user {
        add(USER, &user_name(&user.id));
        add(EMAIL, &user_name(&user.email));
    }
    if let Some(client) = &summary.client {
        add(IP, &client.ip);
    }
    add(RELEASE, &summary.release);
    for page in &summary.pages {
        add(PAGE, page);
        add(PAGE, path(page));
    }
    for issue in &summary.issues {
        add(ISSUE, issue);
    }
    facets
}

/// The path of an absolute URL without query.
#[must_use]
pub fn path(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// One entry of [`crate::row::SessionState::facets`].
#[must_use]
pub fn entry(facet: &str, value: &str) -> String {
    format!("{facet}\0{value}")
}

/// Facet and value of an entry.
#[must_use]
pub fn of_entry(entry: &str) -> Option<(&str, &str)> {
    entry.split_once('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_in_any_case_and_another_id_is_not() {
        assert_eq!(user_name("Ana@Example.org"), user_name("ana@example.ORG"));
        assert_ne!(user_name("aB3"), user_name("ab3"));
        let long = format!("{}@x", "É".repeat(MAX_VALUE_BYTES));
        assert_eq!(user_name(&user_name(&long)), user_name(&long));
    }

    #[test]
    fn a_page_is_found_by_url_and_by_path() {
        let summary = SessionSummary {
            pages: vec!["https://shop.example/cart".to_owned()],
            ..SessionSummary::default()
        };
        assert_eq!(
            of(&summary),
            [(PAGE, "https://shop.example/cart".to_owned()), (PAGE, "/cart".to_owned())]
        );
        assert_eq!((path("https://a.b"), path("/x")), ("/", "/x"));
    }
}
