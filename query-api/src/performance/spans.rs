//! Counts of one endpoint or page by span of time, as alerts ask for them.

use std::collections::{BTreeMap, BTreeSet};

use playhead_domain::alert::performance::Counts;
use playhead_domain::id::SessionId;
use playhead_domain::performance::observation::{Class, FAILED_BUCKET, Measure};
use playhead_domain::performance::view::{Broken, RowView, SeriesView};
use playhead_domain::row::PerformanceSample;
use prost::Message;

use super::gather::{Gathered, corrupt};
use super::question::Question;
use crate::error::ApiError;

/// What is summed.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// As rows have them; `None`: all together.
    pub(crate) ids: Option<BTreeSet<String>>,
    /// Of pages; `None`: requests.
    pub(crate) vital: Option<Measure>,
    pub(crate) environment: Option<String>,
    pub(crate) release: Option<String>,
}

impl Wanted {
    pub(crate) const fn has_filters(&self) -> bool {
        self.environment.is_some() || self.release.is_some()
    }

    fn is_named(&self, id: &str) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(id))
    }

    fn takes(&self, class: Class, name: &str, release: &str, environment: &str) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        (class == Class::Page) == self.vital.is_some()
            && self.is_named(name)
            && is(&self.release, release)
            && is(&self.environment, environment)
    }
}

/// Counts by the time at which their span began.
pub(crate) fn by_span(
    gathered: &Gathered,
    question: &Question,
    wanted: &Wanted,
) -> Result<BTreeMap<i64, Counts>, ApiError> {
    let mut spans = BTreeMap::new();
    for row in &gathered.rows {
        add_row(&mut spans, row, question, wanted).map_err(|error| corrupt(&error))?;
    }
    Ok(spans)
}

fn add_row(
    spans: &mut BTreeMap<i64, Counts>,
    row: &[u8],
    question: &Question,
    wanted: &Wanted,
) -> Result<(), Broken> {
    let row = RowView::read(row)?;
    let text = |place: u32| row.names.get(place as usize).copied().unwrap_or_default();
    let minutes = question.minutes();
    for span in row.spans() {
        let span = span?;
        if !minutes.contains(&span.minute) {
            continue;
        }
        let start = span.minute.div_euclid(question.span_minutes) * question.span_minutes;
        for series in span.series() {
            let series = series?;
            let Some(class) = Class::of_number(series.class) else { continue };
            if wanted.takes(class, text(series.name), text(series.release), text(series.environment)) {
                add(spans.entry(start * 60_000).or_default(), class, &series, wanted.vital)?;
            }
        }
    }
    Ok(())
}

fn add(
    counts: &mut Counts,
    class: Class,
    series: &SeriesView<'_>,
    vital: Option<Measure>,
) -> Result<(), Broken> {
    counts.requests += series.count;
    counts.failed += series.failed;
    if class == Class::Aborted {
        counts.aborted += series.count;
    }
    let what = vital.unwrap_or(Measure::Total) as u32;
    for measure in series.measures() {
        let measure = measure?;
        if measure.what == what {
            let values = if class.is_failure() { &mut counts.failed_values } else { &mut counts.values };
            values.add(measure.sketch);
        }
    }
    Ok(())
}

/// A session to look at: the newest that failed, or else one of the slowest, within a span of time.
pub(crate) fn example(
    gathered: &Gathered,
    wanted: &Wanted,
    (from_ms, to_ms): (i64, i64),
    is_of_failures: bool,
) -> Option<(SessionId, i64)> {
    // Examples do not say of which release or environment they are.
    if wanted.vital.is_some() || wanted.has_filters() {
        return None;
    }
    let mut best: Option<PerformanceSample> = None;
    for row in gathered.rows.iter().filter_map(|row| RowView::read(row).ok()) {
        for sample in row.samples().filter_map(|sample| PerformanceSample::decode(sample).ok()) {
            let name = row.names.get(sample.name as usize).copied().unwrap_or_default();
            let is_wanted = wanted.is_named(name)
                && (from_ms..to_ms).contains(&sample.time_ms)
                && (sample.bucket == FAILED_BUCKET) == is_of_failures;
            let place = |sample: &PerformanceSample| (sample.bucket, sample.time_ms);
            if is_wanted && best.as_ref().is_none_or(|best| place(best) < place(&sample)) {
                best = Some(sample);
            }
        }
    }
    let best = best?;
    Some((SessionId(best.session[..].try_into().ok()?), best.time_ms))
}
