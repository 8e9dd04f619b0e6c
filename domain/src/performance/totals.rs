//! Sums of observations: by time, then by series. All is bounded; what does not fit goes to a series that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::filter::Filter;
use super::key::Kind;
use super::observation::{Class, Context, FAILED_BUCKET, Measure, Observation, Sample};
use super::sketch::Sketch;

/// What further names, releases, environments and countries are counted as. No method, path or name of a release begins so.
pub const OTHER: &str = "\u{2026}other";

/// Instead of a name, in rows that were reduced to what passes a filter: how much there was of a release, environment and country. No name has a
/// space and nothing else.
pub const COUNTED: &str = " ";

const MAX_ENDPOINTS: usize = 1_000;
const MAX_PAGES: usize = 1_000;
const MAX_RELEASES: usize = 20;
const MAX_ENVIRONMENTS: usize = 10;
const MAX_COUNTRIES: usize = 250;
const MAX_STATUSES: usize = 16;
/// Examples of a head, and of a roll-up.
pub const HEAD_SAMPLES: usize = 100;
pub const MAX_SAMPLES: usize = 4_000;

/// What was put together as a row had no room for it, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    Countries = 1,
    Releases = 2,
    Environments = 4,
    Names = 8,
    Minutes = 16,
}

/// Which requests or page loads; `name` is a [`super::name::NameId`], or [`OTHER`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    pub name: Arc<str>,
    pub class: Class,
    pub context: Context,
}

/// Values of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    pub count: u64,
    /// Thousandths of the unit: whole, so that the order does not matter.
    pub sum: u64,
    pub sketch: Sketch,
}

/// What is known of a series in a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series {
    pub count: u64,
    pub failed: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    pub sized: u64,
    pub statuses: BTreeMap<u32, u64>,
    pub measures: BTreeMap<u32, Values>,
}

/// The sums of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    pub next_offset: u64,
    pub sequence: u64,
    pub hour: i64,
    pub rolled: u64,
    pub rolled_hour: i64,
    pub merged: u32,
    /// By the first minute of a span.
    pub(super) spans: BTreeMap<i64, BTreeMap<SeriesKey, Series>>,
    pub(super) samples: BTreeMap<(Arc<str>, u32), Sample>,
    pub(super) known: Known,
}

/// The distinct values so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    endpoints: BTreeSet<Arc<str>>,
    pages: BTreeSet<Arc<str>>,
    releases: BTreeSet<Arc<str>>,
    environments: BTreeSet<Arc<str>>,
    countries: BTreeSet<Arc<str>>,
}

impl Known {
    /// The key under which it is counted.
    pub(super) fn admit(&mut self, name: &str, class: Class, context: &Context) -> SeriesKey {
        let (names, most) = match class {
            Class::Page => (&mut self.pages, MAX_PAGES),
            _ => (&mut self.endpoints, MAX_ENDPOINTS),
        };
        SeriesKey {
            name: admit(names, name, most),
            class,
            context: Context {
                release: admit(&mut self.releases, &context.release, MAX_RELEASES),
                environment: admit(&mut self.environments, &context.environment, MAX_ENVIRONMENTS),
                country: admit(&mut self.countries, &context.country, MAX_COUNTRIES),
            },
        }
    }
}

fn admit(known: &mut BTreeSet<Arc<str>>, name: &str, most: usize) -> Arc<str> {
    if let Some(known) = known.get(name) {
        return Arc::clone(known);
    }
    // The others take nobody's place, so that a row that is read has room for all that it names.
    if name == OTHER || known.len() >= most {
        return OTHER.into();
    }
    let name: Arc<str> = name.into();
    known.insert(Arc::clone(&name));
    name
}

impl Series {
    fn add(&mut self, observation: &Observation) {
        let (measured, weight) = (&observation.measured, observation.weight);
        let weighed = |bytes: u64| bytes.saturating_mul(weight);
        if measured.counts {
            self.count += weight;
            self.failed += u64::from(measured.failed) * weight;
            self.sent_bytes =
                self.sent_bytes.saturating_add(weighed(measured.sent_bytes.unwrap_or_default()));
            if let Some(bytes) = measured.received_bytes {
                self.received_bytes = self.received_bytes.saturating_add(weighed(bytes));
                self.sized += weight;
            }
            if measured.status > 0 {
                self.add_status(measured.status, weight);
            }
        }
        for &(what, value) in &measured.measures {
            let values = self.measures.entry(what as u32).or_default();
            values.count += weight;
            values.sum = values.sum.saturating_add(weighed((value * 1_000.0).round().max(0.0) as u64));
            values.sketch.add(value, weight);
        }
    }

    /// Beyond so many it is 0: any other.
    fn add_status(&mut self, status: u32, count: u64) {
        let is_kept = self.statuses.contains_key(&status) || self.statuses.len() < MAX_STATUSES;
        *self.statuses.entry(if is_kept { status } else { 0 }).or_default() += count;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.merge_all_but_statuses(other);
        for (&status, &count) in &other.statuses {
            self.add_status(status, count);
        }
    }

    /// The same with as many statuses as there are.
    fn join(&mut self, other: &Self) {
        self.merge_all_but_statuses(other);
        for (&status, &count) in &other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }

    fn merge_all_but_statuses(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.sent_bytes = self.sent_bytes.saturating_add(other.sent_bytes);
        self.received_bytes = self.received_bytes.saturating_add(other.received_bytes);
        self.sized += other.sized;
        for (&what, values) in &other.measures {
            let known = self.measures.entry(what).or_default();
            known.count += values.count;
            known.sum = known.sum.saturating_add(values.sum);
            known.sketch.merge(&values.sketch);
        }
    }
}

impl Totals {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many series there are.
    #[must_use]
    pub fn series_count(&self) -> usize {
        self.spans.values().map(BTreeMap::len).sum()
    }

    /// The key under which it is counted, with what the row does not tell apart any more.
    fn admit(&mut self, name: &str, class: Class, context: &Context) -> SeriesKey {
        let told = |step: Merged, value: &Arc<str>| {
            if self.merged & step as u32 == 0 { Arc::clone(value) } else { OTHER.into() }
        };
        let context = Context {
            release: told(Merged::Releases, &context.release),
            environment: told(Merged::Environments, &context.environment),
            country: told(Merged::Countries, &context.country),
        };
        self.known.admit(name, class, &context)
    }

    /// Adds what happened, in the minute in which it did.
    pub fn add(&mut self, observation: &Observation) {
        let measured = &observation.measured;
        let key = self.admit(&observation.name.to_string(), measured.class, &observation.context);
        let minute = observation.sample.time_ms.div_euclid(60_000);
        if let Some(bucket) = measured.bucket {
            self.sample((Arc::clone(&key.name), bucket), &observation.sample, HEAD_SAMPLES);
        }
        if measured.failed {
            self.sample((Arc::clone(&key.name), FAILED_BUCKET), &observation.sample, HEAD_SAMPLES);
        }
        self.spans.entry(minute).or_default().entry(key).or_default().add(observation);
    }

    /// The newest one is kept, whichever came first.
    fn sample(&mut self, key: (Arc<str>, u32), sample: &Sample, most: usize) {
        let is_full = self.samples.len() >= most;
        match self.samples.get_mut(&key) {
            Some(known) if *known < *sample => known.clone_from(sample),
            None if !is_full => {
                self.samples.insert(key, sample.clone());
            }
            Some(_) | None => {}
        }
    }

    /// Ends this head; the next one takes its place. Returns the sealed one.
    #[must_use]
    pub fn seal(&mut self) -> Self {
        let next = Self {
            next_offset: self.next_offset,
            sequence: self.sequence + 1,
            hour: self.hour,
            rolled: self.rolled,
            rolled_hour: self.rolled_hour,
            ..Self::default()
        };
        std::mem::replace(self, next)
    }

    /// Adds what a row with spans of `span_minutes` and of that kind keeps of a head.
    pub fn roll(&mut self, head: &Self, span_minutes: i64, kind: Kind) {
        self.merged |= head.merged;
        if kind == Kind::Samples {
            for (key, sample) in &head.samples {
                self.sample(key.clone(), sample, MAX_SAMPLES);
            }
            return;
        }
        for (minute, series) in &head.spans {
            let start = minute.div_euclid(span_minutes) * span_minutes;
            for (key, values) in series {
                let context = match kind {
                    Kind::Plain => &Context::default(),
                    _ => &key.context,
                };
                let key = self.admit(&key.name, key.class, context);
                self.spans.entry(start).or_default().entry(key).or_default().merge(values);
            }
        }
    }

    /// Adds all that a row tells of requests and page loads, beyond every bound.
    pub(super) fn add_whole(&mut self, row: Self) {
        self.merged |= row.merged;
        for (minute, series) in row.spans {
            let span = self.spans.entry(minute).or_default();
            for (key, values) in series {
                span.entry(key).or_default().join(&values);
            }
        }
    }

    /// What passes the filter, and how much there was of each release, environment and country.
    pub(super) fn reduced(self, filter: &Filter) -> Self {
        let mut reduced = Self { merged: self.merged, ..Self::default() };
        for (minute, series) in self.spans {
            let span = reduced.spans.entry(minute).or_default();
            for (SeriesKey { name, class, context }, values) in series {
                // Pages are asked for by themselves.
                let class_counted = if class == Class::Page { class } else { Class::Success };
                let passes = filter.passes([&context.release, &context.environment, &context.country]);
                let counted = SeriesKey { name: COUNTED.into(), class: class_counted, context };
                span.entry(counted).or_default().count += values.count;
                if passes {
                    let key = SeriesKey { name, class, context: Context::default() };
                    span.entry(key).or_default().join(&values);
                }
            }
        }
        reduced
    }

    /// Puts together what can best be missed; each time more. Returns false when there is nothing left.
    pub(super) fn narrow(&mut self) -> bool {
        let is_done = |step: Merged| self.merged & step as u32 != 0;
        let steps = [Merged::Countries, Merged::Releases, Merged::Environments];
        let step = match steps.into_iter().find(|step| !is_done(*step)) {
            Some(step) => step,
            None if self.has_names() => Merged::Names,
            None if self.spans.len() > 1 => Merged::Minutes,
            None => return false,
        };
        let names = if step == Merged::Names { self.busiest_half() } else { BTreeSet::new() };
        let first = self.spans.keys().next().copied().unwrap_or_default();
        self.merged |= step as u32;
        self.known = Known::default();
        for (minute, series) in std::mem::take(&mut self.spans) {
            let minute = if step == Merged::Minutes { first } else { minute };
            for (mut key, values) in series {
                if step == Merged::Names && !names.contains(&key.name) {
                    key.name = OTHER.into();
                }
                let key = self.admit(&key.name, key.class, &key.context);
                self.spans.entry(minute).or_default().entry(key).or_default().merge(&values);
            }
        }
        if step == Merged::Names {
            self.samples.retain(|(name, _), _| names.contains(name));
        }
        true
    }

    fn has_names(&self) -> bool {
        let mut names = self.spans.values().flat_map(BTreeMap::keys).map(|key| &key.name);
        names.any(|name| **name != *OTHER) || self.samples.keys().any(|(name, _)| **name != *OTHER)
    }

    /// Half of the names, those with the most requests; none of one.
    fn busiest_half(&self) -> BTreeSet<Arc<str>> {
        let mut counts: BTreeMap<&Arc<str>, u64> = BTreeMap::new();
        for (key, series) in self.spans.values().flatten() {
            *counts.entry(&key.name).or_default() += series.count;
        }
        for (name, _) in self.samples.keys() {
            counts.entry(name).or_default();
        }
        counts.retain(|name, _| ***name != *OTHER);
        let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| (count, name)).collect();
        counts.sort_unstable_by(|one, two| two.cmp(one));
        let half = counts.len() / 2;
        counts.into_iter().take(half).map(|(_, name)| Arc::clone(name)).collect()
    }

    /// All series of a measure's kind of value, for a look in tests.
    pub fn series(&self) -> impl Iterator<Item = (i64, &SeriesKey, &Series)> {
        let spans = self.spans.iter();
        spans.flat_map(|(minute, series)| series.iter().map(|(key, series)| (*minute, key, series)))
    }

    /// What is known of a kind of value.
    #[must_use]
    pub fn values(series: &Series, what: Measure) -> Option<&Values> {
        series.measures.get(&(what as u32))
    }
}
