//! Summing what was read, by endpoint or page.

use std::collections::{BTreeMap, HashMap, HashSet};

use playhead_domain::performance::observation::{Class, Measure};
use playhead_domain::performance::sketch::Summed;
use playhead_domain::performance::totals::COUNTED;
use playhead_domain::performance::view::{Broken, MeasureView, RowView, SeriesView};
use playhead_domain::row::PerformanceSample;
use prost::Message;

use super::gather::{Gathered, corrupt};
use super::names::Names;
use super::question::Question;
use crate::error::ApiError;

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Counts, and how long all took together.
    Counts,
    /// By time too, and sketches: of requests the total's, of pages all.
    List,
    /// All, by release, country and time too.
    Whole,
}

/// Values of a measure.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    pub(super) count: u64,
    pub(super) sum: u64,
    pub(super) sketch: Summed,
}

impl Value {
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / 1_000.0 / self.count as f64)
    }
}

/// Sums of an endpoint, a page, a release or a span.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    /// Something was added.
    is_met: bool,
    pub(super) count: u64,
    pub(super) failed: u64,
    pub(super) aborted: u64,
    pub(super) received_bytes: u64,
    pub(super) sized: u64,
    /// Totals of those that failed; the others' are a measure.
    pub(super) failed_total: Summed,
    pub(super) measures: BTreeMap<u32, Value>,
    pub(super) statuses: BTreeMap<(u32, u32), u64>,
    /// Count and failures by the first minute of a span.
    pub(super) trend: BTreeMap<i64, (u64, u64, Summed)>,
    pub(super) releases: BTreeMap<String, Sum>,
    pub(super) countries: BTreeMap<String, Sum>,
}

impl Sum {
    pub(super) fn measure(&self, what: Measure) -> Option<&Value> {
        self.measures.get(&(what as u32))
    }

    /// The total of all requests.
    pub(super) fn total(&self) -> Summed {
        let mut all = self.failed_total.clone();
        if let Some(total) = self.measure(Measure::Total) {
            all.merge(&total.sketch);
        }
        all
    }

    pub(super) const fn answered(&self) -> u64 {
        self.count - self.aborted
    }

    pub(super) fn failure_share(&self) -> Option<f64> {
        (self.answered() > 0).then(|| self.failed as f64 / self.answered() as f64)
    }

    /// Satisfied count whole, tolerated half; what failed counts as neither. Those without a known duration are left out.
    pub(super) fn apdex(&self, limit_ms: f64) -> Option<f64> {
        let total = self.measure(Measure::Total).map(|total| &total.sketch);
        let up_to = |limit| total.map_or(0, |total| total.up_to(limit));
        let (satisfied, tolerated) = (up_to(limit_ms), up_to(4.0 * limit_ms));
        let all = total.map_or(0, Summed::count) + self.failed;
        (all > 0).then(|| (satisfied + tolerated) as f64 / 2.0 / all as f64)
    }

    fn add(&mut self, class: Class, series: &SeriesView<'_>, depth: Depth) -> Result<(), Broken> {
        self.count += series.count;
        self.failed += series.failed;
        self.received_bytes = self.received_bytes.saturating_add(series.received_bytes);
        self.sized += series.sized;
        if class == Class::Aborted {
            self.aborted += series.count;
        }
        // Of all measures the total stands first.
        let most = if depth == Depth::Counts { 1 } else { usize::MAX };
        for measure in series.measures().take(most) {
            self.add_measure(class, &measure?, depth);
        }
        Ok(())
    }

    fn add_measure(&mut self, class: Class, measure: &MeasureView<'_>, depth: Depth) {
        let is_total = measure.what == Measure::Total as u32;
        if is_total && class.is_failure() {
            if depth != Depth::Counts {
                self.failed_total.add(measure.sketch);
            }
            return;
        }
        let value = self.measures.entry(measure.what).or_default();
        value.count += measure.count;
        value.sum = value.sum.saturating_add(measure.sum);
        if depth == Depth::Whole || depth == Depth::List && (is_total || class == Class::Page) {
            value.sketch.add(measure.sketch);
        }
    }
}

/// All endpoints, or all pages, of a window.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) sums: BTreeMap<String, Sum>,
    pub(super) samples: BTreeMap<u32, PerformanceSample>,
    pub(super) releases: BTreeMap<String, u64>,
    pub(super) environments: BTreeMap<String, u64>,
    pub(super) countries: BTreeMap<String, u64>,
    pub(super) merged: u32,
    pub(super) partial: bool,
}

/// Which names are summed.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pages: bool,
    /// All unless given.
    names: Option<HashSet<String>>,
}

impl Wanted {
    pub(super) const ENDPOINTS: Self = Self { pages: false, names: None };
    pub(super) const PAGES: Self = Self { pages: true, names: None };

    pub(super) fn only(&self, names: impl IntoIterator<Item = String>) -> Self {
        Self { pages: self.pages, names: Some(names.into_iter().collect()) }
    }

    fn takes(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(name))
    }
}

pub(super) fn sum(
    gathered: &Gathered,
    names: &Names,
    question: &Question,
    wanted: &Wanted,
    depth: Depth,
) -> Result<Summary, ApiError> {
    let reduced = gathered.reduced_rows.iter().map(|row| (row, true));
    let summary = Summary { partial: gathered.partial || names.partial, ..Summary::default() };
    let mut summing =
        Summing { summary, sums: Vec::new(), places: HashMap::new(), names, question, wanted, depth };
    for (row, is_reduced) in gathered.rows.iter().map(|row| (row, false)).chain(reduced) {
        summing.add(row, is_reduced).map_err(|error| corrupt(&error))?;
    }
    for row in &gathered.sample_rows {
        summing.add_samples(&RowView::read(row).map_err(|error| corrupt(&error))?);
    }
    let Summing { mut summary, mut sums, places, .. } = summing;
    let named = places.into_iter().map(|(name, at)| (name.to_owned(), std::mem::take(&mut sums[at])));
    // Those of which nothing passed the filters are not met.
    summary.sums = named.filter(|(_, sum)| sum.is_met).collect();
    Ok(summary)
}

/// A summary under work.
struct Summing<'a> {
    summary: Summary,
    sums: Vec<Sum>,
    /// Where the sum of a name is.
    places: HashMap<&'a str, usize>,
    names: &'a Names,
    question: &'a Question,
    wanted: &'a Wanted,
    depth: Depth,
}

/// What is known of a row's texts, by their numbers: each is looked up once.
struct Texts<'r> {
    texts: &'r [&'r str],
    /// Where the sum of a name is; within, nothing: it is not wanted.
    places: Vec<Option<Option<usize>>>,
    /// Requests by release, environment and country.
    counts: Vec<[u64; 3]>,
}

impl<'r> Texts<'r> {
    fn new(texts: &'r [&'r str]) -> Self {
        Self { texts, places: vec![None; texts.len()], counts: vec![[0; 3]; texts.len()] }
    }

    fn of(&self, number: u32) -> &'r str {
        self.texts.get(number as usize).copied().unwrap_or_default()
    }

    fn count(&mut self, context: [u32; 3], count: u64) {
        for (at, number) in context.into_iter().enumerate() {
            if let Some(counts) = self.counts.get_mut(number as usize) {
                counts[at] += count;
            }
        }
    }
}

impl Summing<'_> {
    fn add(&mut self, row: &[u8], is_reduced: bool) -> Result<(), Broken> {
        let row = RowView::read(row)?;
        self.summary.merged |= row.merged;
        let minutes = self.question.minutes();
        let mut texts = Texts::new(&row.names);
        for span in row.spans() {
            let span = span?;
            if !minutes.contains(&span.minute) {
                continue;
            }
            let start = span.minute.div_euclid(self.question.span_minutes) * self.question.span_minutes;
            for series in span.series() {
                self.add_series(&mut texts, start, &series?, is_reduced)?;
            }
        }
        for (text, counts) in texts.texts.iter().zip(&texts.counts) {
            self.summary.note(text, *counts);
        }
        self.add_samples(&row);
        Ok(())
    }

    fn add_series(
        &mut self,
        texts: &mut Texts<'_>,
        start: i64,
        series: &SeriesView<'_>,
        is_reduced: bool,
    ) -> Result<(), Broken> {
        let Some(class) = Class::of_number(series.class) else { return Ok(()) };
        if (class == Class::Page) != self.wanted.pages {
            return Ok(());
        }
        let name = texts.of(series.name);
        let numbers = [series.release, series.environment, series.country];
        if is_reduced && name == COUNTED {
            texts.count(numbers, series.count);
            return Ok(());
        }
        let Some(known) = texts.places.get_mut(series.name as usize) else { return Ok(()) };
        let Some(place) = *known.get_or_insert_with(|| self.place(name)) else { return Ok(()) };
        texts.count(numbers, series.count);
        let context = numbers.map(|number| texts.of(number));
        if !is_reduced && !self.question.filter.passes(context) {
            return Ok(());
        }
        let sum = &mut self.sums[place];
        // A backend's part may have come where its request was not counted, as that row had no room for the name.
        sum.is_met |= series.count > 0 || class == Class::Page;
        sum.take(start, class, series, context, self.depth)
    }

    /// Where the sum of the name with that id is, if it is wanted.
    fn place(&mut self, id: &str) -> Option<usize> {
        let name = self.names.of(id);
        self.wanted.takes(name).then(|| {
            *self.places.entry(name).or_insert_with(|| {
                self.sums.push(Sum::default());
                self.sums.len() - 1
            })
        })
    }

    /// Of one endpoint.
    fn add_samples(&mut self, row: &RowView<'_>) {
        if self.depth != Depth::Whole {
            return;
        }
        for sample in row.samples().filter_map(|sample| PerformanceSample::decode(sample).ok()) {
            let name = row.names.get(sample.name as usize).copied().unwrap_or_default();
            if self.wanted.takes(self.names.of(name)) {
                self.summary.show(&sample, self.question);
            }
        }
    }
}

impl Summary {
    fn note(&mut self, text: &str, counts: [u64; 3]) {
        let lists = [&mut self.releases, &mut self.environments, &mut self.countries];
        for (list, count) in lists.into_iter().zip(counts) {
            if count == 0 || text.is_empty() {
                continue;
            }
            match list.get_mut(text) {
                Some(known) => *known += count,
                None => {
                    list.insert(text.to_owned(), count);
                }
            }
        }
    }

    fn show(&mut self, sample: &PerformanceSample, question: &Question) {
        if !(question.from_ms..question.to_ms).contains(&sample.time_ms) {
            return;
        }
        let known = self.samples.entry(sample.bucket).or_insert_with(|| sample.clone());
        if known.time_ms < sample.time_ms {
            known.clone_from(sample);
        }
    }
}

impl Sum {
    fn take(
        &mut self,
        start: i64,
        class: Class,
        series: &SeriesView<'_>,
        [release, _, country]: [&str; 3],
        depth: Depth,
    ) -> Result<(), Broken> {
        self.add(class, series, depth)?;
        if depth == Depth::Counts {
            return Ok(());
        }
        let (count, failed, total) = self.trend.entry(start).or_default();
        *count += series.count;
        *failed += series.failed;
        if depth == Depth::List {
            return Ok(());
        }
        for measure in series.measures() {
            let measure = measure?;
            if measure.what == Measure::Total as u32 {
                total.add(measure.sketch);
            }
        }
        let mut listed = 0;
        for status in series.statuses() {
            let (status, count) = status?;
            *self.statuses.entry((status, class as u32)).or_default() += count;
            listed += count;
        }
        if series.count > listed {
            *self.statuses.entry((0, class as u32)).or_default() += series.count - listed;
        }
        for (sums, value) in [(&mut self.releases, release), (&mut self.countries, country)] {
            match sums.get_mut(value) {
                Some(sum) => sum.add(class, series, Depth::List)?,
                None => sums.entry(value.to_owned()).or_default().add(class, series, Depth::List)?,
            }
        }
        Ok(())
    }
}
