//! What a session's batches tell of issues.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use playhead_domain::endpoint;
use playhead_domain::issue::grouping::Fingerprint;
use playhead_domain::issue::sequel::{self, Change, Sequel};
use playhead_domain::issue::totals::{Hit, sample};
use playhead_domain::issue::visitor::{Visitor, VisitorKey};
use playhead_domain::row::{IssueSample, SessionState, SessionSummary};
use playhead_domain::session::fact::{Fact, Occurrence};
use playhead_domain::session::weight;

use crate::batch::Batch;

/// Where in the log an occurrence is: record, and place in its batch.
pub(crate) type Place = (u64, u32);

/// An occurrence of an issue.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) issue: Fingerprint,
    pub(crate) place: Place,
    pub(crate) received_ms: i64,
    pub(crate) hit: Hit,
}

/// What came to be known of the session in which an issue was counted.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    pub(crate) issue: Fingerprint,
    /// Behind the occurrences of the record that tells it.
    pub(crate) place: Place,
    pub(crate) change: Change,
}

/// All of a session that a range brings.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionIssues {
    pub(crate) found: Vec<Found>,
    pub(crate) followed: Vec<Followed>,
    /// The newest occurrence of each.
    pub(crate) samples: BTreeMap<Fingerprint, (Place, IssueSample)>,
    /// To whom, by pseudonym, with what the row holds; nothing: not to that one after all.
    pub(crate) visitors: BTreeMap<(Fingerprint, [u8; 16]), Option<[u8; 16]>>,
}

/// What a session's state says before a batch.
pub(crate) struct Before {
    issues: usize,
    is_anonymous: bool,
    sequels: Vec<Sequel>,
}

impl Before {
    pub(crate) fn of(state: &SessionState) -> Self {
        let summary = state.summary.as_ref();
        Self {
            issues: summary.map_or(0, |summary| summary.issues.len()),
            is_anonymous: summary.is_none_or(|summary| matches!(Visitor::of(summary), Visitor::Session(_))),
            sequels: sequel::of(state).collect(),
        }
    }
}

/// What is the same for all occurrences of a batch.
struct Common {
    release: Arc<str>,
    browser: Arc<str>,
    system: Arc<str>,
    country: Arc<str>,
    environment: Arc<str>,
}

impl Common {
    fn of(summary: &SessionSummary) -> Self {
        let client = |value: fn(&playhead_domain::row::Client) -> &String| {
            summary.client.as_ref().map_or(Arc::from(""), |client| Arc::from(value(client).as_str()))
        };
        Self {
            release: Arc::from(summary.release.as_str()),
            browser: client(|client| &client.browser),
            system: client(|client| &client.os),
            country: client(|client| &client.country),
            environment: Arc::from(summary.environment.as_str()),
        }
    }
}

impl SessionIssues {
    /// Takes the errors of a batch that was folded into `state`.
    pub(crate) fn take(
        &mut self,
        key: &VisitorKey,
        batch: &Batch,
        state: &SessionState,
        before: &Before,
        facts: Vec<Fact>,
    ) {
        let Some(summary) = &state.summary else { return };
        let errors: Vec<_> = facts.into_iter().filter_map(issue_of).collect();
        let visitor = Visitor::of(summary);
        if before.is_anonymous && matches!(visitor, Visitor::User(_)) {
            self.rename(key, batch, summary, before, &visitor);
        }
        self.follow(batch, state, before);
        if errors.is_empty() {
            return;
        }
        let common = Common::of(summary);
        let new = summary.issues.get(before.issues..).unwrap_or_default();
        let mut new: BTreeSet<Fingerprint> = new.iter().filter_map(|issue| issue.parse().ok()).collect();
        for (time_ms, issue, occurrence) in errors {
            let pseudonym = key.pseudonym(batch.scope, issue, &visitor);
            self.visitors.insert((issue, pseudonym.hash), Some(pseudonym.sealed));
            let hit = Hit {
                time_ms,
                is_new_session: new.remove(&issue),
                unseen: weight::unseen(batch.session, batch.rates.signals),
                release: Arc::clone(&common.release),
                browser: Arc::clone(&common.browser),
                system: Arc::clone(&common.system),
                country: Arc::clone(&common.country),
                environment: Arc::clone(&common.environment),
                page: endpoint::template(&occurrence.page_url),
                expires_at_ms: summary.expires_at_ms,
            };
            let place = (batch.offset, occurrence.index);
            self.show(batch, time_ms, occurrence, &common.release);
            self.found.push(Found { issue, place, received_ms: batch.received_ms, hit });
        }
    }

    fn follow(&mut self, batch: &Batch, state: &SessionState, before: &Before) {
        let place = (batch.offset, u32::MAX);
        for now in sequel::of(state) {
            let known = before.sequels.iter().find(|known| known.issue == now.issue);
            let change = now.since(known.copied());
            self.followed.extend(change.map(|change| Followed { issue: now.issue, place, change }));
        }
    }

    /// The visitor of whom the session's earlier issues were counted has a name now.
    fn rename(
        &mut self,
        key: &VisitorKey,
        batch: &Batch,
        summary: &SessionSummary,
        before: &Before,
        visitor: &Visitor,
    ) {
        let nameless = Visitor::Session(summary.session.to_vec());
        let known = summary.issues.iter().take(before.issues);
        for issue in known.filter_map(|issue| issue.parse::<Fingerprint>().ok()) {
            let before = key.pseudonym(batch.scope, issue, &nameless);
            let now = key.pseudonym(batch.scope, issue, visitor);
            self.visitors.insert((issue, before.hash), None);
            self.visitors.insert((issue, now.hash), Some(now.sealed));
        }
    }

    fn show(&mut self, batch: &Batch, time_ms: i64, occurrence: Occurrence, release: &str) {
        let issue = occurrence.group.fingerprint;
        if self.samples.get(&issue).is_some_and(|(_, known)| known.time_ms > time_ms) {
            return;
        }
        let place = (batch.offset, occurrence.index);
        let event = format!("{}-{}-{}", batch.stream, batch.seq, occurrence.index);
        self.samples.insert(issue, (place, sample(occurrence, time_ms, &batch.session.0, event, release)));
    }
}

fn issue_of(fact: Fact) -> Option<(i64, Fingerprint, Occurrence)> {
    let occurrence = fact.what.into_occurrence()?;
    Some((fact.time_ms, occurrence.issue()?, occurrence))
}
