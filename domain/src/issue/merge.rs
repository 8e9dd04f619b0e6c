//! Issues that people made one. All merges of a project are one row, written as a whole by compare-and-set, and none of them leads to
//! an issue that is merged itself: there are neither chains nor circles, whoever merges at the same time.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::grouping::Fingerprint;
use super::totals::OVERFLOW;
use crate::row::{IssueMerge, IssueMerges};

/// Merged issues of a project. The row is read with every list.
pub const MAX_OF_PROJECT: usize = 2_000;
/// Issues that are merged into one: each is read for what is shown of it.
pub const MAX_MEMBERS: usize = 50;

/// Why issues cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the issue that takes errors beyond the bound is none by itself and cannot be merged")]
    Overflow,
    #[error("one issue takes at most {MAX_MEMBERS} others; split some off first")]
    TooManyMembers,
    #[error("a project merges at most {MAX_OF_PROJECT} issues; split some off first")]
    TooManyOfProject,
}

/// Where an issue went, when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    pub into: Fingerprint,
    pub time_ms: i64,
    pub actor: String,
}

/// The merges of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merges(BTreeMap<Fingerprint, Merged>);

impl Merges {
    /// What the row says; what it cannot mean is left out.
    #[must_use]
    pub fn of(row: IssueMerges) -> Self {
        let id = |bytes: &Bytes| bytes.as_ref().try_into().ok().map(Fingerprint);
        let entry = |merge: IssueMerge| {
            let (issue, into) = (id(&merge.issue)?, id(&merge.into)?);
            Some((issue, Merged { into, time_ms: merge.time_ms, actor: merge.actor }))
        };
        Self(row.merges.into_iter().filter_map(entry).collect())
    }

    /// As it is stored.
    #[must_use]
    pub fn to_row(&self) -> IssueMerges {
        let merge = |(issue, merged): (&Fingerprint, &Merged)| IssueMerge {
            issue: Bytes::copy_from_slice(&issue.0),
            into: Bytes::copy_from_slice(&merged.into.0),
            time_ms: merged.time_ms,
            actor: merged.actor.clone(),
        };
        IssueMerges { merges: self.0.iter().map(merge).collect() }
    }

    /// The issue under which this one is shown: itself, unless it is merged.
    #[must_use]
    pub fn root(&self, issue: Fingerprint) -> Fingerprint {
        self.0.get(&issue).map_or(issue, |merged| merged.into)
    }

    /// Where the issue went.
    #[must_use]
    pub fn get(&self, issue: Fingerprint) -> Option<&Merged> {
        self.0.get(&issue)
    }

    /// Those that were merged into the issue.
    pub fn members(&self, root: Fingerprint) -> impl Iterator<Item = (Fingerprint, &Merged)> {
        self.0.iter().filter(move |(_, merged)| merged.into == root).map(|(&issue, merged)| (issue, merged))
    }

    /// The issue and those that were merged into it.
    #[must_use]
    pub fn whole(&self, root: Fingerprint) -> Vec<Fingerprint> {
        std::iter::once(root).chain(self.members(root).map(|(issue, _)| issue)).collect()
    }

    /// Tells whether other issues were merged into this one than before; 0: none are.
    #[must_use]
    pub fn mark(&self, root: Fingerprint) -> u64 {
        let mut members = self.members(root).peekable();
        if members.peek().is_none() {
            return 0;
        }
        let mut hasher = blake3::Hasher::new();
        for (issue, _) in members {
            hasher.update(&issue.0);
        }
        let mut mark = [0; 8];
        mark.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_be_bytes(mark)
    }

    /// Every issue that took others, with them.
    #[must_use]
    pub fn roots(&self) -> BTreeMap<Fingerprint, Vec<Fingerprint>> {
        let mut roots: BTreeMap<Fingerprint, Vec<Fingerprint>> = BTreeMap::new();
        for (&issue, merged) in &self.0 {
            roots.entry(merged.into).or_default().push(issue);
        }
        roots
    }

    /// Makes `issues` parts of `into`, each with what was merged into it before. Returns those that are new there.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn merge(
        &mut self,
        issues: &[Fingerprint],
        into: Fingerprint,
        (time_ms, actor): (i64, &str),
    ) -> Result<Vec<Fingerprint>, Error> {
        let root = self.root(into);
        let mut added = Vec::new();
        for &issue in issues {
            for member in self.whole(self.root(issue)) {
                if member != root && self.root(member) != root && !added.contains(&member) {
                    added.push(member);
                }
            }
        }
        if root == OVERFLOW || added.contains(&OVERFLOW) {
            return Err(Error::Overflow);
        }
        if self.members(root).count() + added.len() > MAX_MEMBERS {
            return Err(Error::TooManyMembers);
        }
        if self.0.len() + added.iter().filter(|issue| !self.0.contains_key(issue)).count() > MAX_OF_PROJECT {
            return Err(Error::TooManyOfProject);
        }
        for &issue in &added {
            self.0.insert(issue, Merged { into: root, time_ms, actor: actor.to_owned() });
        }
        Ok(added)
    }

    /// Whether one more merge may be refused because the project has too many.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.0.len() + 2 * MAX_MEMBERS > MAX_OF_PROJECT
    }

    /// Forgets the merges of which nothing is kept, neither the issue nor any that was merged into it.
    pub fn forget(&mut self, is_kept: impl Fn(Fingerprint) -> bool) {
        let shown: BTreeSet<_> =
            self.0.iter().filter(|(issue, _)| is_kept(**issue)).map(|(_, merged)| merged.into).collect();
        self.0.retain(|_, merged| shown.contains(&merged.into) || is_kept(merged.into));
    }

    /// Makes the issue one of its own again. Returns the one that it was a part of.
    pub fn split(&mut self, issue: Fingerprint) -> Option<Fingerprint> {
        self.0.remove(&issue).map(|merged| merged.into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BY: (i64, &str) = (7, "ana");

    fn id(number: u8) -> Fingerprint {
        Fingerprint([number; 16])
    }

    #[test]
    fn what_is_merged_takes_along_what_was_merged_into_it() {
        let mut merges = Merges::default();
        assert_eq!(merges.merge(&[id(1), id(2)], id(2), BY), Ok(vec![id(1)]));
        assert_eq!(merges.merge(&[id(2)], id(3), BY), Ok(vec![id(2), id(1)]));
        assert_eq!(merges.whole(id(3)), [id(3), id(1), id(2)]);
        assert_eq!((merges.root(id(1)), merges.root(id(9))), (id(3), id(9)));
        assert_eq!(merges.merge(&[id(3)], id(1), BY), Ok(vec![]), "it is a part of it already");
        assert_eq!(Merges::of(merges.to_row()), merges);
        let mark = merges.mark(id(3));
        assert_eq!((merges.split(id(1)), merges.split(id(1))), (Some(id(3)), None));
        assert_ne!(merges.mark(id(3)), mark);
        assert_eq!(merges.mark(id(1)), 0);
        assert_eq!(merges.whole(id(3)), [id(3), id(2)]);
    }

    #[test]
    fn it_is_bounded_and_a_refusal_changes_nothing() {
        let mut merges = Merges::default();
        let many: Vec<_> = (1..=MAX_MEMBERS as u8).map(id).collect();
        merges.merge(&many, id(200), BY).unwrap();
        let before = merges.clone();
        assert_eq!(merges.merge(&[id(201)], id(200), BY), Err(Error::TooManyMembers));
        assert_eq!(merges.merge(&[OVERFLOW], id(201), BY), Err(Error::Overflow));
        assert_eq!(merges.merge(&[id(201)], OVERFLOW, BY), Err(Error::Overflow));
        assert_eq!(merges, before);
    }

    #[test]
    fn what_has_expired_as_a_whole_makes_room() {
        let mut merges = Merges::default();
        for group in 0..MAX_OF_PROJECT / MAX_MEMBERS {
            let id = |n: usize| Fingerprint(((1 + group * 100 + n) as u128).to_be_bytes());
            let issues: Vec<_> = (1..=MAX_MEMBERS).map(id).collect();
            merges.merge(&issues, id(0), BY).unwrap();
        }
        assert!(merges.is_nearly_full());
        assert_eq!(merges.merge(&[id(201)], id(202), BY), Err(Error::TooManyOfProject));
        let number = |issue: Fingerprint| u128::from_be_bytes(issue.0);
        // The first group is kept by its root, the second by one of its parts.
        merges.forget(|issue| matches!(number(issue), 1 | 103));
        assert_eq!((merges.roots().len(), merges.0.len()), (2, 2 * MAX_MEMBERS));
        assert!(merges.merge(&[id(201)], id(202), BY).is_ok());
    }

    proptest! {
        #[test]
        fn nothing_leads_to_what_is_merged_itself(
            steps in proptest::collection::vec((proptest::collection::vec(1..12u8, 1..4), 1..12u8, any::<bool>()), 1..40)
        ) {
            let mut merges = Merges::default();
            for (issues, into, is_split) in steps {
                if is_split {
                    merges.split(id(into));
                } else {
                    let issues: Vec<_> = issues.into_iter().map(id).collect();
                    merges.merge(&issues, id(into), BY).unwrap();
                    issues.iter().for_each(|&issue| assert_eq!(merges.root(issue), merges.root(id(into))));
                }
                for (issue, merged) in &merges.0 {
                    prop_assert!(merges.get(merged.into).is_none() && merged.into != *issue);
                }
            }
        }
    }
}
