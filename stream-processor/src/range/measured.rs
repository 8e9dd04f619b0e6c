//! What a session's batches tell of requests and pages.

use std::sync::Arc;

use playhead_domain::performance::name::{NameId, NameKey};
use playhead_domain::performance::observation::{Class, Context, Measure, Measured, Observation, Sample};
use playhead_domain::row::{AwaitingSpan, SessionState, SessionSummary};
use playhead_domain::session::fact::{Fact, What};
use playhead_domain::session::span::Early;
use playhead_domain::session::{span, weight};

use crate::batch::Batch;
use crate::measured::split;

const HOUR_US: i64 = 3_600_000_000;
/// Of one batch: a page makes some requests at a time, and what waits for a flush is held in memory.
const MAX_OBSERVATIONS: usize = 1_000;

/// The observations of a batch that was folded into `state`. Requests whose backend's part is not known wait there for a span.
pub(crate) fn observe(
    names: &NameKey,
    batch: &Batch,
    state: &mut SessionState,
    facts: &mut [Fact],
) -> Vec<Observation> {
    let Some(summary) = &state.summary else { return Vec::new() };
    if facts.iter().all(|fact| fact.measured.is_none()) {
        return Vec::new();
    }
    let weight = (1 + weight::unseen(batch.session, batch.rates.signals)).unsigned_abs();
    if weight == 0 {
        return Vec::new();
    }
    let context = Arc::new(context(summary));
    let measured = facts.iter_mut().filter_map(|fact| Some((fact.time_ms, *fact.measured.take()?)));
    let observation = |(time_ms, measured): (i64, Measured)| {
        let mut observation = Observation {
            place: (batch.offset, measured.index),
            hour: batch.logged_us.div_euclid(HOUR_US),
            weight,
            name: names.id(batch.scope, &measured.name),
            context: Arc::clone(&context),
            sample: Sample {
                time_ms,
                session: batch.session.0,
                event: format!("{}-{}-{}", batch.stream, batch.seq, measured.index),
            },
            measured,
        };
        ask_spans(batch, state, &mut observation);
        observation
    };
    measured.take(MAX_OBSERVATIONS).map(observation).collect()
}

/// Takes the backend's part from its span when that came first, or lets the request wait for it.
fn ask_spans(batch: &Batch, state: &mut SessionState, observation: &mut Observation) {
    let measured = &mut observation.measured;
    let known = |what| measured.measures.iter().find(|(known, _)| *known == what).map(|(_, value)| *value);
    let (Some(span), Some(total_ms)) = (measured.span, known(Measure::Total)) else { return };
    if known(Measure::Backend).is_some() {
        if batch.meta.awaits_spans && state.span_bytes > 0 {
            span::settle(state, span, batch.received_ms);
        }
        return;
    }
    match span::take_early(state, span, batch.received_ms) {
        Early::Worked(backend_ms) => measured.measures.extend(split(total_ms, backend_ms)),
        Early::Unknown if batch.meta.awaits_spans => {
            span::wait(state, awaiting(batch, observation, span, total_ms));
        }
        Early::Unknown | Early::Settled => {}
    }
}

fn awaiting(batch: &Batch, observation: &Observation, span: u64, total_ms: f64) -> AwaitingSpan {
    let context = &observation.context;
    AwaitingSpan {
        span,
        received_ms: batch.received_ms,
        time_ms: observation.sample.time_ms,
        total_ms,
        name: observation.name.number(),
        class: observation.measured.class as u32,
        weight: observation.weight,
        release: context.release.to_string(),
        environment: context.environment.to_string(),
        country: context.country.to_string(),
    }
}

/// The backend's parts that a batch of spans tells of requests that were counted without.
pub(crate) fn answer(batch: &Batch, state: &mut SessionState, facts: &[Fact]) -> Vec<Observation> {
    let told = facts.iter().filter_map(|fact| match &fact.what {
        What::Span(told) => Some(*told),
        _ => None,
    });
    let answered = span::answer(state, &told.collect::<Vec<_>>(), batch.received_ms);
    let observation = |(index, (request, backend_ms)): (u32, (AwaitingSpan, f64))| Observation {
        place: (batch.offset, index),
        hour: batch.logged_us.div_euclid(HOUR_US),
        weight: request.weight,
        name: NameId::of_number(request.name),
        context: Arc::new(Context {
            release: request.release.into(),
            environment: request.environment.into(),
            country: request.country.into(),
        }),
        measured: Measured {
            name: String::new(),
            class: Class::of_number(request.class).unwrap_or(Class::Unknown),
            status: 0,
            failed: false,
            sent_bytes: None,
            received_bytes: None,
            measures: split(request.total_ms, backend_ms).to_vec(),
            counts: false,
            bucket: None,
            index,
            span: None,
        },
        sample: Sample { time_ms: request.time_ms, session: batch.session.0, event: String::new() },
    };
    (0..).zip(answered).map(observation).collect()
}

fn context(summary: &SessionSummary) -> Context {
    Context {
        release: summary.release.as_str().into(),
        environment: summary.environment.as_str().into(),
        country: summary.client.as_ref().map_or("", |client| &client.country).into(),
    }
}
