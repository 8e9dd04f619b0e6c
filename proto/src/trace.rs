//! The W3C trace context ("traceparent") that comes with a request and travels in a record's metadata, and spans that go on from it.
//!
//! Nothing here costs more than a look at the span while nobody records it.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The length of every `traceparent` of version 00.
const TEXT_LEN: usize = 55;
/// Links of one span.
pub const MAX_LINKS: usize = 128;

/// The context that `text` names, if it has the form of one.
#[must_use]
pub fn parse(text: &str) -> Option<SpanContext> {
    let is_plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    if text.len() != TEXT_LEN || !text.bytes().all(is_plain) {
        return None;
    }
    let mut parts = text.split('-');
    let mut next = |len| parts.next().filter(|part| part.len() == len);
    let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
    if version == "ff" || parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
    context.is_valid().then_some(context)
}

fn format(context: &SpanContext) -> String {
    let flags = context.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())
}

/// Makes a span, which must not have been entered yet, the child of the one that sent `traceparent`.
pub fn go_on(span: &Span, traceparent: &str) {
    if span.is_disabled() {
        return;
    }
    if let Some(context) = parse(traceparent) {
        // Fails when nothing sends spans anywhere: then there is nothing to go on with.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }
}

/// What to pass on from `span`, which came with `incoming`: its own context where it has one. A span that nobody keeps and nobody
/// asked for is not told of.
#[must_use]
pub fn pass_on(span: &Span, incoming: String) -> String {
    if span.is_disabled() {
        return incoming;
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    let is_told = context.is_valid() && (context.is_sampled() || !incoming.is_empty());
    if is_told { format(&context) } else { incoming }
}

/// Links a span, which must not have been entered yet, to those of `traceparents` whose spans are kept: at most [`MAX_LINKS`].
pub fn link<T: AsRef<str>>(span: &Span, traceparents: impl IntoIterator<Item = T>) {
    let contexts = traceparents.into_iter().filter_map(|text| parse(text.as_ref()));
    for context in contexts.filter(SpanContext::is_sampled).take(MAX_LINKS) {
        span.add_link(context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn only_what_is_well_formed_is_a_context() {
        assert_eq!(format(&parse(GOOD).unwrap()), GOOD);
        assert!(parse(&GOOD.replace("-01", "-00")).is_some_and(|context| !context.is_sampled()));
        for bad in [
            String::new(),
            GOOD.to_uppercase(),
            GOOD[..52].to_owned(),
            format!("{GOOD}-"),
            GOOD.replace('-', "a"),
            GOOD.replacen("00-", "ff-", 1),
            GOOD.replace("b7ad6b7169203331", "0000000000000000"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("-01", "-é"),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn while_nobody_records_what_came_is_passed_on() {
        let span = tracing::debug_span!("batch");
        go_on(&span, GOOD);
        link(&span, [GOOD]);
        assert_eq!(pass_on(&span, GOOD.to_owned()), GOOD);
        assert_eq!(pass_on(&span, String::new()), "");
    }
}
