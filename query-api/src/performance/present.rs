//! Sums as answers.

use playhead_domain::id::SessionId;
use playhead_domain::performance::observation::{BUCKETS, Class, FAILED_BUCKET, Measure};
use playhead_domain::performance::sketch::Summed;
use playhead_domain::performance::totals::Merged;
use playhead_domain::row::PerformanceSample;

use super::question::Question;
use super::sum::{Sum, Summary, Value};
use crate::model::performance::{
    Compared, Durations, Earlier, Endpoint, EndpointDetail, HistogramBucket, PageLoads, Part, Parts,
    PerformanceWindow, RequestSample, StatusCount, TrendPoint, Vital,
};

const MAX_COMPARED: usize = 20;
const MAX_CHOICES: usize = 100;

pub(super) fn window(summary: &Summary, question: &Question) -> PerformanceWindow {
    let bits = [
        (Merged::Countries, "countries"),
        (Merged::Releases, "releases"),
        (Merged::Environments, "environments"),
        (Merged::Names, "names"),
        (Merged::Minutes, "minutes"),
    ];
    let merged = bits.into_iter().filter(|(bit, _)| summary.merged & *bit as u32 != 0);
    PerformanceWindow {
        from_ms: question.from_ms,
        to_ms: question.to_ms,
        span_minutes: question.span_minutes,
        compared_ms: question.compared_ms(),
        partial: summary.partial,
        merged: merged.map(|(_, name)| name.to_owned()).collect(),
        releases: choices(&summary.releases),
        environments: choices(&summary.environments),
        countries: choices(&summary.countries),
    }
}

fn choices(counts: &std::collections::BTreeMap<String, u64>) -> Vec<String> {
    let mut counts: Vec<_> = counts.iter().map(|(name, count)| (*count, name)).collect();
    counts.sort_unstable_by(|one, two| two.cmp(one));
    counts.into_iter().take(MAX_CHOICES).map(|(_, name)| name.clone()).collect()
}

pub(super) fn endpoint(name: &str, sum: &Sum, before: Option<&Sum>, question: &Question) -> Endpoint {
    let total = sum.total();
    // A backend's part that came late may be counted where its request was not, see `Sum`.
    let part = |what| {
        let part = part(sum.measure(what));
        Part { known: part.known.min(sum.count), ..part }
    };
    Endpoint {
        name: name.to_owned(),
        requests: sum.count,
        failed: sum.failed,
        failure_share: sum.failure_share(),
        aborted: sum.aborted,
        apdex: sum.apdex(question.apdex_ms),
        durations: Durations {
            known: total.count(),
            p50_ms: total.quantile(0.5),
            p75_ms: total.quantile(0.75),
            p95_ms: total.quantile(0.95),
            p99_ms: total.quantile(0.99),
        },
        parts: Parts {
            backend: part(Measure::Backend),
            network: part(Measure::Network),
            frontend: part(Measure::Frontend),
        },
        mean_bytes: (sum.sized > 0).then(|| sum.received_bytes as f64 / sum.sized as f64),
        trend: trend(sum),
        before: before.map(|before| Earlier {
            requests: before.count,
            failure_share: before.failure_share(),
            p95_ms: before.total().quantile(0.95),
        }),
    }
}

fn part(value: Option<&Value>) -> Part {
    Part {
        known: value.map_or(0, |value| value.count),
        mean_ms: value.and_then(Value::mean),
        p95_ms: value.and_then(|value| value.sketch.quantile(0.95)),
    }
}

fn trend(sum: &Sum) -> Vec<TrendPoint> {
    let point = |(minute, (requests, failed, total)): (&i64, &(u64, u64, Summed))| TrendPoint {
        time_ms: minute * 60_000,
        requests: *requests,
        failed: *failed,
        p95_ms: total.quantile(0.95),
    };
    sum.trend.iter().map(point).collect()
}

pub(super) fn detail(
    name: &str,
    summary: &Summary,
    before: Option<&Sum>,
    question: &Question,
) -> Option<EndpointDetail> {
    let sum = summary.sums.get(name)?;
    Some(EndpointDetail {
        window: window(summary, question),
        endpoint: endpoint(name, sum, before, question),
        histogram: histogram(&sum.total(), summary),
        failed_sample: summary.samples.get(&FAILED_BUCKET).and_then(sample),
        statuses: statuses(sum),
        releases: compared(&sum.releases),
        countries: compared(&sum.countries),
    })
}

/// From the first to the last bucket that has requests.
fn histogram(total: &Summed, summary: &Summary) -> Vec<HistogramBucket> {
    let mut buckets = Vec::with_capacity(BUCKETS.len() + 1);
    let (mut over_ms, mut below) = (0.0, 0);
    for at in 0..=BUCKETS.len() {
        let up_to_ms = BUCKETS.get(at).copied();
        let up_to = up_to_ms.map_or(total.count(), |bound| total.up_to(bound));
        let number = u32::try_from(at).unwrap_or_default();
        buckets.push(HistogramBucket {
            over_ms,
            up_to_ms,
            requests: up_to - below,
            sample: summary.samples.get(&number).and_then(sample),
        });
        (over_ms, below) = (up_to_ms.unwrap_or(over_ms), up_to);
    }
    let is_empty = |bucket: &HistogramBucket| bucket.requests == 0 && bucket.sample.is_none();
    let end = buckets.iter().rposition(|bucket| !is_empty(bucket)).map_or(0, |at| at + 1);
    buckets.truncate(end);
    let start = buckets.iter().position(|bucket| !is_empty(bucket)).unwrap_or(0);
    buckets.split_off(start)
}

fn sample(sample: &PerformanceSample) -> Option<RequestSample> {
    Some(RequestSample {
        session_id: SessionId(sample.session[..].try_into().ok()?).to_string(),
        event_id: sample.event.clone(),
        time_ms: sample.time_ms,
    })
}

fn statuses(sum: &Sum) -> Vec<StatusCount> {
    let status = |(&(status, class), &requests): (&(u32, u32), &u64)| {
        let class = Class::of_number(class).unwrap_or(Class::Unknown);
        let is_answer =
            !matches!(class, Class::Unknown | Class::NetworkError | Class::Timeout | Class::Aborted);
        StatusCount {
            status: match status {
                0 if is_answer => format!("other {}", class.name()),
                0 => class.name().to_owned(),
                _ if !is_answer => format!("{} after {status}", class.name()),
                _ => status.to_string(),
            },
            requests,
            failed: status >= 400 || matches!(class, Class::NetworkError | Class::Timeout),
        }
    };
    let mut statuses: Vec<_> = sum.statuses.iter().map(status).collect();
    statuses.sort_by_key(|status| std::cmp::Reverse(status.requests));
    statuses
}

fn compared(sums: &std::collections::BTreeMap<String, Sum>) -> Vec<Compared> {
    let mut sums: Vec<_> = sums.iter().collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.count));
    let compared = |(name, sum): (&String, &Sum)| {
        let total = sum.total();
        Compared {
            name: name.clone(),
            requests: sum.count,
            failure_share: sum.failure_share(),
            p50_ms: total.quantile(0.5),
            p95_ms: total.quantile(0.95),
        }
    };
    sums.into_iter().take(MAX_COMPARED).map(compared).collect()
}

pub(super) fn page(name: &str, sum: &Sum, before: Option<&Sum>) -> PageLoads {
    let vital = |what: Measure| {
        let value = sum.measure(what);
        let quantile = |value: Option<&Value>, q| Some(unit(what) * value?.sketch.quantile(q)?);
        let p75 = quantile(value, 0.75);
        Vital {
            name: what.name().to_owned(),
            known: value.map_or(0, |value| value.count),
            p50: quantile(value, 0.5),
            p75,
            p95: quantile(value, 0.95),
            rating: p75.map(|p75| rating(what, p75).to_owned()),
            before_p75: quantile(before.and_then(|before| before.measure(what)), 0.75),
        }
    };
    PageLoads {
        name: name.to_owned(),
        loads: sum.count,
        vitals: Measure::VITALS.into_iter().map(vital).collect(),
        trend: trend(sum),
    }
}

/// What a stored value is to be multiplied by.
const fn unit(what: Measure) -> f64 {
    if matches!(what, Measure::Cls) { 0.001 } else { 1.0 }
}

/// <https://web.dev/articles/defining-core-web-vitals-thresholds>; FCP and TTFB as their own articles have them.
const fn rating(what: Measure, value: f64) -> &'static str {
    let (good, poor) = match what {
        Measure::Lcp => (2_500.0, 4_000.0),
        Measure::Inp => (200.0, 500.0),
        Measure::Cls => (0.1, 0.25),
        Measure::Fcp => (1_800.0, 3_000.0),
        _ => (800.0, 1_800.0),
    };
    if value <= good {
        "good"
    } else if value <= poor {
        "needs-improvement"
    } else {
        "poor"
    }
}
