//! Summing what was read, by endpoint or page.

use std::collections::{BTreeMap, HashMap};

use playhead_domain::performance::observation::{Class, Measure};
use playhead_domain::performance::sketch::Summed;
use playhead_domain::performance::view::{Broken, MeasureView, RowView, SeriesView};
use playhead_domain::row::PerformanceSample;
use prost::Message;

use super::gather::{Gathered, corrupt};
use super::names::Names;
use super::question::Question;
use crate::error::ApiError;

/// What is summed beside counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Counts and, of requests, the total; of pages, all.
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
        self.received_bytes += series.received_bytes;
        self.sized += series.sized;
        if class == Class::Aborted {
            self.aborted += series.count;
        }
        for measure in series.measures() {
            self.add_measure(class, &measure?, depth);
        }
        Ok(())
    }

    fn add_measure(&mut self, class: Class, measure: &MeasureView<'_>, depth: Depth) {
        let is_total = measure.what == Measure::Total as u32;
        if is_total && class.is_failure() {
            self.failed_total.add(measure.sketch);
            return;
        }
        let value = self.measures.entry(measure.what).or_default();
        value.count += measure.count;
        value.sum += measure.sum;
        if is_total || class == Class::Page || depth == Depth::Whole {
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
pub(super) enum Wanted<'a> {
    Endpoints,
    Pages,
    Endpoint(&'a str),
}

impl Wanted<'_> {
    fn takes<'n>(&self, class: Class, name: impl FnOnce() -> &'n str) -> bool {
        match self {
            Self::Endpoints => class != Class::Page,
            Self::Pages => class == Class::Page,
            Self::Endpoint(wanted) => class != Class::Page && name() == *wanted,
        }
    }
}

pub(super) fn sum(
    gathered: &Gathered,
    names: &Names,
    question: &Question,
    wanted: &Wanted<'_>,
    depth: Depth,
) -> Result<Summary, ApiError> {
    let summary = Summary { partial: gathered.partial || names.partial, ..Summary::default() };
    let mut summing =
        Summing { summary, sums: Vec::new(), places: HashMap::new(), names, question, wanted, depth };
    for row in &gathered.rows {
        summing.add(row).map_err(|error| corrupt(&error))?;
    }
    for row in &gathered.sample_rows {
        summing.add_samples(&RowView::read(row).map_err(|error| corrupt(&error))?);
    }
    let Summing { mut summary, mut sums, places, .. } = summing;
    let named = places.into_iter().map(|(name, at)| (name.to_owned(), std::mem::take(&mut sums[at])));
    summary.sums = named.collect();
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
    wanted: &'a Wanted<'a>,
    depth: Depth,
}

impl Summing<'_> {
    fn add(&mut self, row: &[u8]) -> Result<(), Broken> {
        let row = RowView::read(row)?;
        self.summary.merged |= row.merged;
        let minutes = self.question.minutes();
        // By the number of the name in the row: each is looked up once.
        let mut places = vec![None; row.names.len()];
        for span in row.spans() {
            let span = span?;
            if !minutes.contains(&span.minute) {
                continue;
            }
            let start = span.minute.div_euclid(self.question.span_minutes) * self.question.span_minutes;
            for series in span.series() {
                self.add_series(&row, &mut places, start, &series?)?;
            }
        }
        self.add_samples(&row);
        Ok(())
    }

    fn add_series(
        &mut self,
        row: &RowView<'_>,
        places: &mut [Option<usize>],
        start: i64,
        series: &SeriesView<'_>,
    ) -> Result<(), Broken> {
        let text = |place: u32| row.names.get(place as usize).copied().unwrap_or_default();
        let Some(class) = Class::of_number(series.class) else { return Ok(()) };
        if !self.wanted.takes(class, || self.names.of(text(series.name))) {
            return Ok(());
        }
        let context = [series.release, series.environment, series.country].map(text);
        self.summary.note(context, series.count);
        if !passes(self.question, context) {
            return Ok(());
        }
        let Some(place) = places.get_mut(series.name as usize) else { return Ok(()) };
        let place = *place.get_or_insert_with(|| {
            *self.places.entry(self.names.of(text(series.name))).or_insert_with(|| {
                self.sums.push(Sum::default());
                self.sums.len() - 1
            })
        });
        self.sums[place].take(start, class, series, context, self.depth)
    }

    fn add_samples(&mut self, row: &RowView<'_>) {
        let Wanted::Endpoint(endpoint) = self.wanted else { return };
        for sample in row.samples().filter_map(|sample| PerformanceSample::decode(sample).ok()) {
            let name = row.names.get(sample.name as usize).copied().unwrap_or_default();
            if self.names.of(name) == *endpoint {
                self.summary.show(&sample, self.question);
            }
        }
    }
}

impl Summary {
    fn note(&mut self, [release, environment, country]: [&str; 3], count: u64) {
        let lists = [&mut self.releases, &mut self.environments, &mut self.countries];
        for (list, value) in lists.into_iter().zip([release, environment, country]) {
            if value.is_empty() {
                continue;
            }
            match list.get_mut(value) {
                Some(known) => *known += count,
                None => {
                    list.insert(value.to_owned(), count);
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

fn passes(question: &Question, [release, environment, country]: [&str; 3]) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
    is(&question.release, release) && is(&question.environment, environment) && is(&question.country, country)
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
