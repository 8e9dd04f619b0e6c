//! Which spans are kept.

use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{KeyValue, trace::TraceState};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// As the parent decided. A span without one is kept if it is linked to one that is kept (a flush with the batches in it), and otherwise
/// by chance.
pub(super) fn sampler(ratio: f64) -> Sampler {
    Sampler::ParentBased(Box::new(Root(Sampler::TraceIdRatioBased(ratio))))
}

#[derive(Debug, Clone)]
struct Root(Sampler);

impl ShouldSample for Root {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        if links.iter().any(|link| link.span_context.is_sampled()) {
            let decision = SamplingDecision::RecordAndSample;
            return SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() };
        }
        self.0.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags};

    fn other(flags: TraceFlags) -> SpanContext {
        SpanContext::new(TraceId::from(7), SpanId::from(9), flags, true, TraceState::default())
    }

    fn is_kept(ratio: f64, parent: Option<TraceFlags>, link: Option<TraceFlags>) -> bool {
        let parent = parent.map(|flags| Context::new().with_remote_span_context(other(flags)));
        let links: Vec<Link> = link.map(|flags| Link::with_context(other(flags))).into_iter().collect();
        let result = sampler(ratio).should_sample(
            parent.as_ref(),
            TraceId::from(u128::MAX / 2),
            "flush",
            &SpanKind::Consumer,
            &[],
            &links,
        );
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn parents_decide_then_links_then_chance() {
        let (kept, dropped) = (Some(TraceFlags::SAMPLED), Some(TraceFlags::NOT_SAMPLED));
        assert!(is_kept(0.0, kept, None) && !is_kept(1.0, dropped, None));
        assert!(is_kept(0.0, None, kept) && !is_kept(0.0, None, dropped));
        assert!(is_kept(1.0, None, None) && !is_kept(0.0, None, None));
    }
}
