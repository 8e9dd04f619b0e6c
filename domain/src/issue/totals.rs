//! What is counted of an issue. Adding the same occurrences in the same order gives the same totals, however they fall into flushes; totals
//! of several log partitions are merged on read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::grouping::Fingerprint;
use super::sequel::Change;
use crate::row::{Breakdown, IssueComponent, IssueCount, IssueSample, IssueTotals, Seen};
use crate::session::fact::Occurrence;
use crate::session::fold::cut;
use crate::session::weight::Sessions;

/// The issue that takes the errors of a project that has as many issues as it may.
pub const OVERFLOW: Fingerprint = Fingerprint([0; 16]);
/// What it is called.
pub const OVERFLOW_TITLE: &str = "Errors of more issues than are kept apart";

/// Hours and days that are counted apart, the last one included.
pub const HOURS: i64 = 48;
pub const DAYS: i64 = 35;
/// Spans of five minutes that are counted apart, likewise.
pub const FIVES: i64 = 36;
pub const FIVE_MS: i64 = 300_000;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// Values of a breakdown, of one log partition and of all.
const MAX_VALUES: usize = 50;
const MAX_VALUE_BYTES: usize = 200;

/// What of an occurrence is counted.
#[derive(Debug, Clone)]
pub struct Hit {
    pub time_ms: i64,
    /// The session did not have the issue before.
    pub is_new_session: bool,
    /// Further sessions that its session stands for.
    pub unseen: i64,
    pub release: Arc<str>,
    pub browser: Arc<str>,
    pub system: Arc<str>,
    pub country: Arc<str>,
    pub environment: Arc<str>,
    /// The template of the page's path.
    pub page: String,
    /// When the session expires.
    pub expires_at_ms: i64,
}

/// What is shown of an issue by this occurrence.
#[must_use]
pub fn sample(
    occurrence: Occurrence,
    time_ms: i64,
    session: &[u8],
    event: String,
    release: &str,
) -> IssueSample {
    let group = occurrence.group;
    let component = |component: super::grouping::Component| IssueComponent {
        name: component.name.to_owned(),
        values: component.values,
        counted: component.counted,
        why: component.why.to_owned(),
    };
    IssueSample {
        session: bytes::Bytes::copy_from_slice(session),
        event,
        time_ms,
        title: occurrence.title,
        culprit: occurrence.culprit,
        kind: occurrence.kind,
        mechanism: occurrence.mechanism,
        handled: occurrence.handled,
        release: release.to_owned(),
        grouping_version: group.version,
        basis: group.basis.name().to_owned(),
        components: group.components.into_iter().map(component).collect(),
    }
}

impl IssueSample {
    /// Tells what `face` tells of the issue; which occurrence it is, and of which release, stays.
    pub fn wear(&mut self, face: &Self) {
        self.title.clone_from(&face.title);
        self.culprit.clone_from(&face.culprit);
        self.kind.clone_from(&face.kind);
        self.mechanism.clone_from(&face.mechanism);
        self.basis.clone_from(&face.basis);
        self.components.clone_from(&face.components);
        self.grouping_version = face.grouping_version;
    }
}

impl IssueTotals {
    /// Counts an occurrence that comes after all that were counted, in the order of the log.
    pub fn add(&mut self, hit: &Hit) {
        if self.events == 0 || hit.time_ms < self.first_seen_ms {
            self.first_seen_ms = hit.time_ms;
            cut(&hit.release, MAX_VALUE_BYTES).clone_into(&mut self.first_release);
        }
        self.last_seen_ms = if self.events == 0 { hit.time_ms } else { self.last_seen_ms.max(hit.time_ms) };
        self.expires_at_ms = self.expires_at_ms.max(hit.expires_at_ms);
        let sessions = u64::from(hit.is_new_session);
        let unseen = if hit.is_new_session { hit.unseen } else { 0 };
        let count = IssueCount { events: 1, sessions, unseen, ..IssueCount::default() };
        self.events += count.events;
        self.sessions += count.sessions;
        add_at(&mut self.fives, hit.time_ms.div_euclid(FIVE_MS), count);
        add_at(&mut self.hours, hit.time_ms.div_euclid(HOUR_MS), count);
        add_at(&mut self.days, hit.time_ms.div_euclid(DAY_MS), count);
        self.forget();
        see(&mut self.releases_seen, &hit.release, Seen { first_ms: hit.time_ms, last_ms: hit.time_ms });
        self.releases.get_or_insert_default().add(&hit.release, 1);
        self.browsers.get_or_insert_default().add(&hit.browser, 1);
        self.systems.get_or_insert_default().add(&hit.system, 1);
        self.pages.get_or_insert_default().add(&hit.page, 1);
        self.countries.get_or_insert_default().add(&hit.country, 1);
        self.environments.get_or_insert_default().add(&hit.environment, 1);
    }

    /// Takes what came to be known of a session that was counted. Of spans that are forgotten nothing is told. Returns whether
    /// anything changed.
    pub fn follow(&mut self, change: Change) -> bool {
        let spans = [(&mut self.fives, FIVE_MS), (&mut self.hours, HOUR_MS)];
        let mut is_changed = false;
        for (counts, length_ms) in spans {
            if let Some(count) = counts.get_mut(&change.first_ms.div_euclid(length_ms)) {
                count.frustrated = count.frustrated.saturating_add_signed(change.frustrated);
                count.ended = count.ended.saturating_add_signed(change.ended);
                is_changed = true;
            }
        }
        is_changed
    }

    /// Shows the issue by `sample`, unless it is older than what is shown.
    pub fn show(&mut self, sample: IssueSample) {
        if self.latest.as_ref().is_none_or(|known| sample.time_ms >= known.time_ms) {
            self.latest = Some(sample);
        }
    }

    /// Adds what another log partition tells. What is bounded is the same in whatever order they come, as far as it fits.
    pub fn merge(&mut self, other: &Self) {
        if other.events == 0 {
            return;
        }
        let first = |totals: &Self| (totals.first_seen_ms, totals.first_release.clone());
        if self.events == 0 || first(other) < first(self) {
            (self.first_seen_ms, self.first_release) = first(other);
        }
        self.last_seen_ms =
            if self.events == 0 { other.last_seen_ms } else { self.last_seen_ms.max(other.last_seen_ms) };
        self.events += other.events;
        self.sessions += other.sessions;
        self.expires_at_ms = self.expires_at_ms.max(other.expires_at_ms);
        let place = |sample: &IssueSample| (sample.time_ms, sample.session.clone(), sample.event.clone());
        if self.latest.as_ref().map(place) < other.latest.as_ref().map(place) {
            self.latest.clone_from(&other.latest);
        }
        other.fives.iter().for_each(|(&five, &count)| add_at(&mut self.fives, five, count));
        other.hours.iter().for_each(|(&hour, &count)| add_at(&mut self.hours, hour, count));
        other.days.iter().for_each(|(&day, &count)| add_at(&mut self.days, day, count));
        self.forget();
        other.releases_seen.iter().for_each(|(release, &seen)| see(&mut self.releases_seen, release, seen));
        merge(&mut self.releases, other.releases.as_ref());
        merge(&mut self.browsers, other.browsers.as_ref());
        merge(&mut self.systems, other.systems.as_ref());
        merge(&mut self.pages, other.pages.as_ref());
        merge(&mut self.countries, other.countries.as_ref());
        merge(&mut self.environments, other.environments.as_ref());
    }

    /// Spans, hours and days that are too long before the last one.
    fn forget(&mut self) {
        let first_five = self.last_seen_ms.div_euclid(FIVE_MS) - FIVES + 1;
        drop_below(&mut self.fives, first_five);
        let first_hour = self.last_seen_ms.div_euclid(HOUR_MS) - HOURS + 1;
        let first_day = self.last_seen_ms.div_euclid(DAY_MS) - DAYS + 1;
        drop_below(&mut self.hours, first_hour);
        drop_below(&mut self.days, first_day);
    }
}

fn add_at(counts: &mut BTreeMap<i64, IssueCount>, at: i64, count: IssueCount) {
    let known = counts.entry(at).or_default();
    *known = known.plus(count);
}

impl IssueCount {
    /// These sessions, with those that they stand for.
    #[must_use]
    pub const fn reached(self) -> Sessions {
        Sessions { seen: self.sessions, unseen: self.unseen }
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            sessions: self.sessions + other.sessions,
            frustrated: self.frustrated + other.frustrated,
            ended: self.ended + other.ended,
            unseen: self.unseen + other.unseen,
        }
    }
}

fn drop_below(counts: &mut BTreeMap<i64, IssueCount>, first: i64) {
    while counts.first_key_value().is_some_and(|(&at, _)| at < first) {
        counts.pop_first();
    }
}

fn see(releases: &mut BTreeMap<String, Seen>, release: &str, seen: Seen) {
    let release = cut(release, MAX_VALUE_BYTES);
    if let Some(known) = releases.get_mut(release) {
        known.first_ms = known.first_ms.min(seen.first_ms);
        known.last_ms = known.last_ms.max(seen.last_ms);
        return;
    }
    releases.insert(release.to_owned(), seen);
    if releases.len() > MAX_VALUES {
        let longest_ago = releases.iter().min_by_key(|(name, seen)| (seen.last_ms, *name));
        let longest_ago = longest_ago.map(|(name, _)| name.clone());
        longest_ago.map(|name| releases.remove(&name));
    }
}

fn merge(into: &mut Option<Breakdown>, other: Option<&Breakdown>) {
    let Some(other) = other else { return };
    let into = into.get_or_insert_default();
    other.values.iter().for_each(|(value, &events)| into.add(value, events));
    into.other += other.other;
}

impl Breakdown {
    /// An unknown value (an empty text) counts as one.
    fn add(&mut self, value: &str, events: u64) {
        let value = cut(value, MAX_VALUE_BYTES);
        if let Some(known) = self.values.get_mut(value) {
            *known += events;
        } else if self.values.len() < MAX_VALUES {
            self.values.insert(value.to_owned(), events);
        } else {
            self.other += events;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hit(time_ms: i64, page: &str) -> Hit {
        Hit {
            time_ms,
            is_new_session: time_ms % 2 == 0,
            unseen: 0,
            release: Arc::from(format!("r{}", time_ms % 3)),
            browser: Arc::from("Chrome"),
            system: Arc::from("Linux"),
            country: Arc::from(""),
            environment: Arc::from("production"),
            page: page.to_owned(),
            expires_at_ms: time_ms + 1,
        }
    }

    fn of(hits: &[Hit]) -> IssueTotals {
        let mut totals = IssueTotals::default();
        hits.iter().for_each(|hit| totals.add(hit));
        totals
    }

    #[test]
    fn first_and_last_do_not_depend_on_what_comes_first() {
        let totals = of(&[hit(20 * DAY_MS, "/b"), hit(19 * DAY_MS + 1, "/a"), hit(20 * DAY_MS + 5, "/b")]);
        assert_eq!((totals.first_seen_ms, totals.last_seen_ms), (19 * DAY_MS + 1, 20 * DAY_MS + 5));
        assert_eq!((totals.events, totals.sessions, totals.first_release.as_str()), (3, 1, "r1"));
        assert_eq!(totals.days[&20], IssueCount { events: 2, sessions: 1, ..IssueCount::default() });
        assert_eq!(
            totals.pages.unwrap().values,
            BTreeMap::from([("/a".to_owned(), 1), ("/b".to_owned(), 2)])
        );
    }

    #[test]
    fn what_follows_is_told_where_the_session_was_counted() {
        let mut totals = of(&[hit(20 * DAY_MS, "/"), hit(20 * DAY_MS + HOUR_MS, "/")]);
        let change = |ended| Change { first_ms: 20 * DAY_MS, frustrated: 1, ended };
        assert!(totals.follow(change(1)));
        let ended = |totals: &IssueTotals| {
            totals.hours.values().map(|count| (count.frustrated, count.ended)).collect::<Vec<_>>()
        };
        assert_eq!(ended(&totals), [(1, 1), (0, 0)]);
        assert!(totals.follow(change(-1)));
        assert_eq!(ended(&totals), [(2, 0), (0, 0)]);
        assert!(!totals.follow(Change { first_ms: 0, frustrated: 1, ended: 1 }), "forgotten");
    }

    #[test]
    fn what_is_long_ago_is_counted_in_the_whole_alone() {
        let totals = of(&[hit(0, "/"), hit(40 * DAY_MS, "/"), hit(38 * DAY_MS, "/"), hit(0, "/")]);
        assert_eq!((totals.events, totals.days.len(), totals.hours.len()), (4, 2, 1));
    }

    #[test]
    fn many_values_are_bounded_and_none_is_lost() {
        let hits: Vec<_> = (0..80).map(|n| hit(n, &format!("/{n}"))).collect();
        let pages = of(&hits).pages.unwrap();
        assert_eq!((pages.values.len(), pages.other), (MAX_VALUES, 30));
    }

    proptest! {
        #[test]
        fn merged_partitions_say_what_one_would(
            times in proptest::collection::vec(0..60 * DAY_MS, 1..60),
            cut in 0..60_usize,
        ) {
            let hits: Vec<_> = times.iter().map(|&time| hit(time, "/")).collect();
            let (one, two) = hits.split_at(cut.min(hits.len()));
            let mut merged = of(one);
            merged.merge(&of(two));
            let mut turned = of(two);
            turned.merge(&of(one));
            let whole = of(&hits);
            prop_assert_eq!(&merged, &turned);
            prop_assert_eq!((merged.events, merged.sessions), (whole.events, whole.sessions));
            prop_assert_eq!((&merged.hours, &merged.days), (&whole.hours, &whole.days));
            prop_assert_eq!(&merged.fives, &whole.fives);
            prop_assert_eq!(merged.first_seen_ms, whole.first_seen_ms);
            prop_assert_eq!(&merged.releases_seen, &whole.releases_seen);
        }
    }
}
