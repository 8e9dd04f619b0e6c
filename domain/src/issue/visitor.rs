//! Whom an issue happened to, as a pseudonym: enough to count people, and neither whom nor what else happened to them.
//!
//! A row's key is a pseudonym that is another one in another issue. When people make several issues one, its users must be counted once
//! all the same, so the row's value is the visitor's pseudonym within the project, sealed: whoever has the store alone can still not
//! tell which rows belong together.

use super::grouping::Fingerprint;
use crate::row::SessionSummary;
use crate::scope::Scope;
use crate::session::facet;

/// Purpose for `InstallationKey::derive`: the key under which visitors are hashed.
pub const VISITOR_PURPOSE: &str = "playhead issue visitors v1";

/// Hashes visitors. Without it a pseudonym cannot be compared with a name.
#[derive(Clone)]
pub struct VisitorKey {
    /// Of pseudonyms within an issue.
    issue: [u8; 32],
    /// Of those within a project.
    project: [u8; 32],
    /// Of what seals these.
    seal: [u8; 32],
}

/// How a visitor is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pseudonym {
    /// Within the issue: the key of the row.
    pub hash: [u8; 16],
    /// Within the project, sealed: the value of the row.
    pub sealed: [u8; 16],
}

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
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            project: blake3::derive_key("playhead 2026 visitors of a project", &key),
            seal: blake3::derive_key("playhead 2026 sealed visitors of a project", &key),
            issue: key,
        }
    }

    /// The pseudonyms of a visitor. The same visitor gives the same ones every time.
    #[must_use]
    pub fn pseudonym(&self, scope: Scope, issue: Fingerprint, visitor: &Visitor) -> Pseudonym {
        let within_issue = hash(&self.issue, scope, &issue.0, visitor);
        let within_project = hash(&self.project, scope, &[], visitor);
        Pseudonym { hash: within_issue, sealed: self.mask(issue, within_issue, within_project) }
    }

    /// Who the row's visitor is within the project. A row of before there were any values stands for a visitor of its own.
    #[must_use]
    pub fn open(&self, issue: Fingerprint, hash: [u8; 16], sealed: &[u8]) -> [u8; 16] {
        sealed.try_into().map_or(hash, |sealed| self.mask(issue, hash, sealed))
    }

    /// The mask is never used for anything else: a pseudonym within an issue stands for one visitor.
    fn mask(&self, issue: Fingerprint, hash: [u8; 16], mut text: [u8; 16]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.seal);
        let mask = hasher.update(&issue.0).update(&hash).finalize();
        text.iter_mut().zip(mask.as_bytes()).for_each(|(byte, mask)| *byte ^= mask);
        text
    }
}

fn hash(key: &[u8; 32], scope: Scope, issue: &[u8], visitor: &Visitor) -> [u8; 16] {
    let (kind, name) = match visitor {
        Visitor::User(name) => (b'u', name.as_bytes()),
        Visitor::Session(session) => (b's', session.as_slice()),
    };
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&scope.tenant().0.to_be_bytes());
    hasher.update(&scope.project().0.to_be_bytes());
    hasher.update(issue).update(&[kind]).update(name);
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
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
        let hash =
            |issue: u8, visitor: &Visitor| key.pseudonym(scope, Fingerprint([issue; 16]), visitor).hash;
        assert_eq!(hash(1, &named("", "Ana@x.org")), hash(1, &named("", "ana@X.org")));
        assert_eq!(hash(1, &named("7", "a@x.org")), hash(1, &named("7", "b@x.org")));
        assert_ne!(hash(1, &named("7", "")), hash(2, &named("7", "")));
        let anonymous =
            Visitor::of(&SessionSummary { session: vec![7; 16].into(), ..SessionSummary::default() });
        assert_eq!(anonymous, Visitor::Session(vec![7; 16]));
        assert_ne!(hash(1, &anonymous), hash(1, &Visitor::User("\u{7}".repeat(16))));
    }

    #[test]
    fn whoever_has_the_key_counts_a_visitor_of_two_issues_once() {
        let key = VisitorKey::new([1; 32]);
        let scope = Scope::of_log_record(TenantId(1), ProjectId(2));
        let row = |issue: u8, name: &str| {
            let issue = Fingerprint([issue; 16]);
            (issue, key.pseudonym(scope, issue, &Visitor::User(name.to_owned())))
        };
        let open = |(issue, row): (Fingerprint, Pseudonym)| key.open(issue, row.hash, &row.sealed);
        assert_eq!(open(row(1, "ana")), open(row(2, "ana")));
        assert_ne!(open(row(1, "ana")), open(row(1, "bo")));
        assert_ne!(row(1, "ana").1.sealed, row(2, "ana").1.sealed);
        let (issue, old) = row(1, "ana");
        assert_eq!(key.open(issue, old.hash, &[]), old.hash);
    }
}
