//! The span of a flush.

use playhead_domain::log::StoredRecord;
use playhead_proto::record::RecordMeta;
use playhead_proto::trace;
use prost::Message;
use tracing::Span;
use tracing::field::Empty;

/// The span of one partition's flush, linked to the requests that brought its batches.
pub(crate) fn flush_span(partition: u32, records: &[StoredRecord]) -> Span {
    let span = tracing::debug_span!(
        "flush",
        otel.kind = "consumer",
        otel.status_code = Empty,
        partition = i64::from(partition),
        records = records.len() as i64,
        bytes = records.iter().map(|record| record.value.len() as i64).sum::<i64>(),
    );
    if !span.is_disabled() {
        let metas = records.iter().filter_map(|record| RecordMeta::decode(record.meta.clone()).ok());
        trace::link(&span, metas.map(|meta| meta.traceparent));
    }
    span
}
