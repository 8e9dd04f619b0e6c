//! Whom an issue happened to, as a pseudonym: enough to count people, and neither whom nor what else happened to them.

use super::grouping::Fingerprint;
use crate::row::SessionSummary;
use crate::scope::Scope;
use crate::session::facet;

/// Purpose for `InstallationKey::derive`: the key under which visitors are hashed.
pub const VISITOR_PURPOSE: &str = "playhead issue visitors v1";

/// Hashes visitors. Without it a pseudonym cannot be compared with a name.
#[derive(Clone)]
pub struct VisitorKey([u8; 32]);

/// The name under which a session's visitor is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// By id, or by e-mail address when that is all that is known.
    User(String),
    /// Nobody said who it is: the session stands for a visitor of its own.
    Session(Vec<u8>),
}

impl Visitor {
    /// As the summary knows it now.
    #[must_use]
    pub fn of(summary: &SessionSummary) -> Self {
        let user = summary.user.as_ref();
        let name = user.map(|user| if user.id.is_empty() { &user.email } else { &user.id });
        match name.filter(|name| !name.is_empty()) {
            Some(name) => Self::User(facet::user_name(name)),
            None => Self::Session(summary.session.to_vec()),
        }
    }
}

impl VisitorKey {
    /// `key` is the installation's key derived for [`VISITOR_PURPOSE`].
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The pseudonym of a visitor within an issue: in another issue it is another one.
    #[must_use]
    pub fn hash(&self, scope: Scope, issue: Fingerprint, visitor: &Visitor) -> [u8; 16] {
        let (kind, name) = match visitor {
            Visitor::User(name) => (b'u', name.as_bytes()),
            Visitor::Session(session) => (b's', session.as_slice()),
        };
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&scope.tenant().0.to_be_bytes());
        hasher.update(&scope.project().0.to_be_bytes());
        hasher.update(&issue.0).update(&[kind]).update(name);
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ProjectId, TenantId};
    use crate::row::User;

    #[test]
    fn a_visitor_is_one_in_an_issue_and_unlinkable_across_them() {
        let key = VisitorKey::new([1; 32]);
        let scope = Scope::of_log_record(TenantId(1), ProjectId(2));
        let named = |id: &str, email: &str| {
            let user = User { id: id.to_owned(), email: email.to_owned(), ..User::default() };
            Visitor::of(&SessionSummary { user: Some(user), ..SessionSummary::default() })
        };
        let hash = |issue: u8, visitor: &Visitor| key.hash(scope, Fingerprint([issue; 16]), visitor);
        assert_eq!(hash(1, &named("", "Ana@x.org")), hash(1, &named("", "ana@X.org")));
        assert_eq!(hash(1, &named("7", "a@x.org")), hash(1, &named("7", "b@x.org")));
        assert_ne!(hash(1, &named("7", "")), hash(2, &named("7", "")));
        let anonymous =
            Visitor::of(&SessionSummary { session: vec![7; 16].into(), ..SessionSummary::default() });
        assert_eq!(anonymous, Visitor::Session(vec![7; 16]));
        assert_ne!(hash(1, &anonymous), hash(1, &Visitor::User("\u{7}".repeat(16))));
    }
}
