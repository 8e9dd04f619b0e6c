//! What a project decides about issues counts from a time of the log on.
//!
//! Which errors become which issue is a matter of the fold, and a fold must be the same however often it is tried: a row that the first
//! try wrote under a fingerprint that the second does not find would count for ever. So what decides is never "what is known of
//! the project now" but what was in force when the log took the record. The API writes a change as from a minute ahead; by then
//! every processor knows of it.

use super::grouping::Fingerprint;
use crate::row::{Discard, IssueSettings, Project};

/// How long after its request a change counts. Processors know projects within ten seconds.
pub const DELAY_US: i64 = 60_000_000;
/// How long a record may wait to be folded, or to be folded again, and still obeys what was in force when it came.
const KEPT_US: i64 = 3_600_000_000;
/// Versions that a project keeps. Records that are older than what the oldest is from obey that one.
pub const MAX_VERSIONS: usize = 16;
/// Discarded issues of a project, those that are taken again too: their entry says which issue takes what comes.
pub const MAX_DISCARDS: usize = 500;

/// More issues are discarded than a project can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a project can discard at most {MAX_DISCARDS} issues, and those that are taken again count too; filter the errors in the page instead"
)]
pub struct TooManyDiscards;

/// All versions are still needed, as they changed so often of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what decides about issues changed {} times within an hour; wait", MAX_VERSIONS - 1)]
pub struct TooManyChanges {
    /// When there is room for another change.
    pub until_us: i64,
}

impl Project {
    /// What a record obeys that the log took then.
    #[must_use]
    pub fn issue_settings_at(&self, append_us: i64) -> Option<&IssueSettings> {
        let in_force = self.issue_settings.iter().rev().find(|version| version.from_us <= append_us);
        in_force.or_else(|| self.issue_settings.first())
    }

    /// What was decided last, whether it counts already or not.
    #[must_use]
    pub fn newest_issue_settings(&self) -> IssueSettings {
        self.issue_settings.last().cloned().unwrap_or_else(|| self.first_issue_settings())
    }

    /// As the project was created.
    fn first_issue_settings(&self) -> IssueSettings {
        IssueSettings { error_filters_off: self.error_filters_off.clone(), ..IssueSettings::default() }
    }

    /// Decides anew, as of a minute after `now_us`. Nothing happens when it is what was decided last.
    ///
    /// # Errors
    /// [`TooManyChanges`]; nothing is changed then.
    pub fn decide_issue_settings(&mut self, next: IssueSettings, now_us: i64) -> Result<(), TooManyChanges> {
        let newest = self.newest_issue_settings();
        if (IssueSettings { from_us: newest.from_us, ..next.clone() }) == newest {
            return Ok(());
        }
        let surplus = (self.issue_settings.len() + 1).saturating_sub(MAX_VERSIONS);
        if surplus > 0 {
            // What goes must not have been in force for what may not be folded yet.
            let until_us = self.issue_settings[surplus].from_us + KEPT_US;
            if now_us < until_us {
                return Err(TooManyChanges { until_us });
            }
            self.issue_settings.drain(..surplus);
        }
        if self.issue_settings.is_empty() {
            self.issue_settings.push(newest.clone());
        }
        let from_us = (now_us + DELAY_US).max(newest.from_us + 1);
        self.issue_settings.push(IssueSettings { from_us, ..next });
        Ok(())
    }

    /// The issue of an error that the log took then: none while it is discarded. Once it is not any more, what comes is another issue,
    /// as what there was before is dropped for good.
    #[must_use]
    pub fn issue_at(&self, mut issue: Fingerprint, append_us: i64) -> Option<Fingerprint> {
        // Each step goes on with another entry, of which there are so many.
        for _ in 0..=self.discards.len() {
            match self.discard_of(issue) {
                Some(discard) if discard.from_us <= append_us => {
                    if discard.to_us == 0 || append_us < discard.to_us {
                        return None;
                    }
                    issue = successor(issue);
                }
                _ => return Some(issue),
            }
        }
        Some(issue)
    }

    /// Whether and since when the issue is, or was, discarded.
    #[must_use]
    pub fn discard_of(&self, issue: Fingerprint) -> Option<&Discard> {
        self.discards.iter().find(|discard| discard.issue[..] == issue.0)
    }

    /// Drops what comes of an issue, as of a minute after `now_us`.
    ///
    /// # Errors
    /// [`TooManyDiscards`]; nothing is changed then.
    pub fn discard(
        &mut self,
        issue: Fingerprint,
        title: String,
        actor: &str,
        now_us: i64,
    ) -> Result<(), TooManyDiscards> {
        if self.discard_of(issue).is_some() {
            return Ok(());
        }
        if self.discards.len() >= MAX_DISCARDS {
            return Err(TooManyDiscards);
        }
        self.discards.push(Discard {
            issue: bytes::Bytes::copy_from_slice(&issue.0),
            from_us: now_us + DELAY_US,
            to_us: 0,
            title,
            actor: actor.to_owned(),
        });
        Ok(())
    }

    /// Takes what comes of the issue again, as of a minute after `now_us`. Returns whether it was discarded.
    pub fn discard_no_more(&mut self, issue: Fingerprint, now_us: i64) -> bool {
        let mut discards = self.discards.iter_mut();
        let Some(discard) = discards.find(|discard| discard.issue[..] == issue.0 && discard.to_us == 0)
        else {
            return false;
        };
        discard.to_us = (now_us + DELAY_US).max(discard.from_us + 1);
        true
    }
}

/// The issue that takes the errors of one that was discarded and is not any more.
#[must_use]
pub fn successor(issue: Fingerprint) -> Fingerprint {
    let mut hasher = blake3::Hasher::new_derive_key("playhead 2026 issue after it was discarded");
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&hasher.update(&issue.0).finalize().as_bytes()[..16]);
    Fingerprint(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = DELAY_US;

    fn off(filter: &str) -> IssueSettings {
        IssueSettings { error_filters_off: vec![filter.to_owned()], ..IssueSettings::default() }
    }

    fn in_force(project: &Project, append_us: i64) -> Vec<String> {
        project.issue_settings_at(append_us).map_or_else(Vec::new, |at| at.error_filters_off.clone())
    }

    #[test]
    fn a_record_obeys_what_was_in_force_when_it_came() {
        let mut project = Project { error_filters_off: vec!["bot".to_owned()], ..Project::default() };
        assert_eq!(project.issue_settings_at(5), None);
        project.decide_issue_settings(off("localhost"), 100).unwrap();
        project.decide_issue_settings(off("localhost"), 200).unwrap();
        assert_eq!(project.issue_settings.len(), 2, "it was decided before");
        assert_eq!(in_force(&project, 100 + MINUTE - 1), ["bot"]);
        assert_eq!(in_force(&project, 100 + MINUTE), ["localhost"]);
        let before = project.clone();
        project.decide_issue_settings(off("browser_extension"), 300).unwrap();
        for append_us in [0, 100 + MINUTE, 300 + MINUTE - 1] {
            assert_eq!(
                in_force(&project, append_us),
                in_force(&before, append_us),
                "what was in force stays"
            );
        }
        assert_eq!(project.newest_issue_settings().error_filters_off, ["browser_extension"]);
    }

    #[test]
    fn versions_are_bounded_and_what_may_still_be_asked_for_stays() {
        let mut project = Project::default();
        let most = MAX_VERSIONS - 1;
        for n in 0..most {
            project.decide_issue_settings(off(&n.to_string()), 7).unwrap();
        }
        assert_eq!(project.issue_settings.len(), MAX_VERSIONS);
        assert!(project.issue_settings.is_sorted_by(|one, other| one.from_us < other.from_us));
        let before = project.clone();
        let until_us = 7 + MINUTE + KEPT_US;
        assert_eq!(
            project.decide_issue_settings(off("more"), until_us - 1),
            Err(TooManyChanges { until_us })
        );
        assert_eq!(project, before);
        assert!(in_force(&project, 7 + MINUTE - 1).is_empty(), "what is in force while all the others wait");
        let newest = (most - 1).to_string();
        assert_eq!(project.decide_issue_settings(off(&newest), 7), Ok(()), "nothing new is no change");
        project.decide_issue_settings(off("more"), until_us).unwrap();
        assert_eq!(project.issue_settings.len(), MAX_VERSIONS);
        assert_eq!(in_force(&project, 7 + MINUTE), ["0"], "the oldest that is kept");
    }

    #[test]
    fn a_discarded_issue_takes_nothing_and_then_another_one_does() {
        let (issue, other) = (Fingerprint([1; 16]), Fingerprint([2; 16]));
        let mut project = Project::default();
        project.discard(issue, "x".to_owned(), "ana", 0).unwrap();
        assert_eq!(project.issue_at(issue, MINUTE - 1), Some(issue));
        assert_eq!((project.issue_at(issue, MINUTE), project.issue_at(other, MINUTE)), (None, Some(other)));
        assert!(project.discard_no_more(issue, 10 * MINUTE));
        assert!(!project.discard_no_more(issue, 10 * MINUTE));
        assert_eq!(project.issue_at(issue, 11 * MINUTE - 1), None);
        let next = project.issue_at(issue, 11 * MINUTE).unwrap();
        assert_ne!(next, issue);
        project.discard(next, "x".to_owned(), "ana", 20 * MINUTE).unwrap();
        assert_eq!(project.issue_at(issue, 11 * MINUTE), Some(next), "what was in force stays");
        assert_eq!(project.issue_at(issue, 21 * MINUTE), None);
        for n in 0..MAX_DISCARDS - 2 {
            let mut id = [9; 16];
            id[..8].copy_from_slice(&(n as u64).to_be_bytes());
            project.discard(Fingerprint(id), String::new(), "", 0).unwrap();
        }
        assert_eq!(project.discard(other, String::new(), "", 0), Err(TooManyDiscards));
    }
}
