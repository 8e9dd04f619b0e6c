//! What a session's batches tell of requests and pages.

use std::sync::Arc;

use playhead_domain::performance::name::NameKey;
use playhead_domain::performance::observation::{Context, Observation, Sample};
use playhead_domain::row::{SessionState, SessionSummary};
use playhead_domain::session::fact::Fact;
use playhead_domain::session::weight;

use crate::batch::Batch;

const HOUR_US: i64 = 3_600_000_000;
/// Of one batch: a page makes some requests at a time, and what waits for a flush is held in memory.
const MAX_OBSERVATIONS: usize = 1_000;

/// The observations of a batch that was folded into `state`.
pub(crate) fn observe(
    names: &NameKey,
    batch: &Batch,
    state: &SessionState,
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
    let observation =
        |(time_ms, measured): (i64, playhead_domain::performance::observation::Measured)| Observation {
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
    measured.take(MAX_OBSERVATIONS).map(observation).collect()
}

fn context(summary: &SessionSummary) -> Context {
    Context {
        release: summary.release.as_str().into(),
        environment: summary.environment.as_str().into(),
        country: summary.client.as_ref().map_or("", |client| &client.country).into(),
    }
}
