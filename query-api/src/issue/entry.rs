//! What a list keeps of an issue: the numbers it sorts by, the texts it searches, and the counts that state and priority follow from.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use memchr::memmem::Finder;
use playhead_domain::issue::forecast::SPAN_HOURS;
use playhead_domain::issue::totals::{FIVE_MS, HOURS};
use playhead_domain::row::{self, Breakdown, IssueSample, IssueTotals};
use prost::Message;

use super::priority::{Context, Weight};
use super::state;
use crate::error::ApiError;
use crate::model::issue::IssueState;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Of an entry beside its texts, and its place in the tree.
const ENTRY_BYTES: usize = 320;

/// A field whose values are searched whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Type,
    Release,
    Browser,
    Os,
    Page,
    Country,
    Mechanism,
}

impl Field {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "type" => Self::Type,
            "release" => Self::Release,
            "browser" => Self::Browser,
            "os" => Self::Os,
            "page" => Self::Page,
            "country" => Self::Country,
            "mechanism" => Self::Mechanism,
            _ => return None,
        })
    }
}

/// How a value stands among those of an issue. Values differ in any case, and not by what stands between them.
pub(super) fn value(field: Field, value: &str) -> String {
    format!("\0{}{}\0", field as u8, value.replace('\0', " ").to_ascii_lowercase())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) first_seen_ms: i64,
    pub(crate) last_seen_ms: i64,
    pub(super) events: u64,
    pub(super) sessions: u64,
    pub(super) expires_at_ms: i64,
    /// It has an occurrence that is shown of it.
    pub(super) is_shown: bool,
    pub(super) is_handled: bool,
    /// Title and culprit in lower case.
    words: [Box<str>; 2],
    values: Box<str>,
    /// [`IssueTotals`] without what neither state nor priority asks for.
    counts: Box<[u8]>,
}

impl Entry {
    pub(super) fn of(mut totals: IssueTotals) -> Self {
        let latest = totals.latest.take();
        let shown = latest.clone().unwrap_or_default();
        let mut values = String::new();
        let mut add = |field, text: &str| values.push_str(&value(field, text));
        add(Field::Type, &shown.kind);
        add(Field::Mechanism, &shown.mechanism);
        for (field, breakdown) in [
            (Field::Release, totals.releases.as_ref()),
            (Field::Browser, totals.browsers.take().as_ref()),
            (Field::Os, totals.systems.take().as_ref()),
            (Field::Page, totals.pages.as_ref()),
            (Field::Country, totals.countries.take().as_ref()),
        ] {
            names(breakdown).for_each(|name| add(field, name));
        }
        let kept = |latest: IssueSample| IssueSample {
            handled: latest.handled,
            release: latest.release,
            ..IssueSample::default()
        };
        totals.latest = latest.map(kept);
        totals.kept_by_day.clear();
        Self {
            first_seen_ms: totals.first_seen_ms,
            last_seen_ms: totals.last_seen_ms,
            events: totals.events,
            sessions: totals.sessions,
            expires_at_ms: totals.expires_at_ms,
            is_shown: totals.latest.is_some(),
            is_handled: shown.handled,
            words: [shown.title, shown.culprit].map(|text| text.to_lowercase().into()),
            values: values.into(),
            counts: totals.encode_to_vec().into(),
        }
    }

    /// What state, priority and archives ask for.
    pub(super) fn counts(&self) -> Result<IssueTotals, ApiError> {
        let corrupt =
            |e: prost::DecodeError| ApiError::Internal(format!("counts of an issue in memory: {e}"));
        IssueTotals::decode(&*self.counts).map_err(corrupt)
    }

    /// What is searched, and [`Entry::counts`] apart from it.
    pub(crate) fn open(mut self) -> Result<(Self, IssueTotals), ApiError> {
        let counts = self.counts()?;
        self.counts = Box::default();
        Ok((self, counts))
    }

    pub(super) fn has_word(&self, word: &Finder<'_>) -> bool {
        self.words.iter().any(|text| word.find(text.as_bytes()).is_some())
    }

    pub(super) fn has_value(&self, value: &Finder<'_>) -> bool {
        value.find(self.values.as_bytes()).is_some()
    }

    pub(super) fn bytes(&self) -> usize {
        let words: usize = self.words.iter().map(|text| text.len()).sum();
        ENTRY_BYTES + words + self.values.len() + self.counts.len()
    }
}

fn names(breakdown: Option<&Breakdown>) -> impl Iterator<Item = &String> {
    breakdown.into_iter().flat_map(|breakdown| breakdown.values.keys())
}

/// What the counts of an issue say, and until when they say so if nothing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: IssueState,
    pub(super) weight: Weight,
    until_ms: i64,
    mark: u64,
}

impl Verdict {
    pub(super) fn of(
        totals: &IssueTotals,
        given: Option<&row::IssueState>,
        users: u64,
        context: Context<'_>,
        mark: u64,
    ) -> Self {
        let judged = state::now(totals, given, users, context.now_ms);
        let weight = Weight::of(totals, &judged, context);
        Self { state: judged.state, weight, until_ms: holds_until(totals, context.now_ms), mark }
    }

    /// Whether it holds at `now_ms`, for what is `mark`ed.
    pub(super) const fn holds(&self, now_ms: i64, mark: u64) -> bool {
        now_ms < self.until_ms && self.mark == mark
    }
}

/// Hours move on with the hour, what follows an issue with the five minutes after which it is known, and an issue is new for a day. When
/// nothing happened in the hours that are compared, all these are empty.
fn holds_until(totals: &IssueTotals, now_ms: i64) -> i64 {
    let next = |span_ms: i64| (now_ms.div_euclid(span_ms) + 1) * span_ms;
    let is_over = totals.last_seen_ms < now_ms - (HOURS + SPAN_HOURS + 1) * HOUR_MS;
    let mut until_ms = if is_over { i64::MAX } else { next(HOUR_MS) };
    if totals.fives.range(now_ms.div_euclid(FIVE_MS) - 1..).next().is_some() {
        until_ms = until_ms.min(next(FIVE_MS));
    }
    match totals.first_seen_ms + DAY_MS {
        old_ms if old_ms > now_ms => until_ms.min(old_ms),
        _ => until_ms,
    }
}

/// Tells apart what people decided of an issue, as far as a verdict asks for it, and which pages are critical.
pub(super) fn mark(given: Option<&row::IssueState>, critical_pages: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    critical_pages.hash(&mut hasher);
    if let Some(given) = given {
        (&given.state, given.changed_ms, &given.resolved_release).hash(&mut hasher);
        (given.in_next_release, given.in_this_release).hash(&mut hasher);
        given.archived_until.map(|until| until.encode_to_vec()).hash(&mut hasher);
    }
    hasher.finish()
}
