//! A log record, read as far as its header.

use bytes::Bytes;
use playhead_domain::id::{ProjectId, SessionId, StreamId, TenantId};
use playhead_domain::log::StoredRecord;
use playhead_domain::scope::Scope;
use playhead_proto::batch::{self, FrameInfo, Rates};
use playhead_proto::record::RecordMeta;
use prost::Message;

use crate::compute::isolate;

/// A batch with its frames still packed.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) scope: Scope,
    pub(crate) session: SessionId,
    pub(crate) stream: StreamId,
    pub(crate) seq: u64,
    pub(crate) tab: u32,
    pub(crate) sent_ms: f64,
    pub(crate) from_ms: f64,
    pub(crate) to_ms: f64,
    pub(crate) rates: Rates,
    pub(crate) sampled: bool,
    pub(crate) end: bool,
    pub(crate) part: Option<(u32, u32)>,
    pub(crate) signals_info: FrameInfo,
    pub(crate) signals: Bytes,
    pub(crate) dom_info: FrameInfo,
    pub(crate) dom: Bytes,
    pub(crate) offset: u64,
    /// Of a dead letter's record of which this is a copy.
    pub(crate) replay_of: Option<u64>,
    /// When the log took the batch; its copy counts as having come when the batch was received.
    pub(crate) append_us: i64,
    /// When the log took this very record: what it obeys.
    pub(crate) logged_us: i64,
    pub(crate) received_ms: i64,
    pub(crate) body_bytes: usize,
    pub(crate) meta: RecordMeta,
}

/// A record that is not a batch.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// Not even whose it is.
    NoOwner,
    Header {
        scope: Scope,
        detail: String,
        received_us: i64,
        traceparent: String,
        replay_of: Option<u64>,
    },
}

/// Reads the metadata and the header; copies and inflates nothing.
pub(crate) fn read(record: &StoredRecord) -> Result<Batch, Unreadable> {
    let meta = RecordMeta::decode(record.meta.clone()).map_err(|_| Unreadable::NoOwner)?;
    let scope = Scope::of_log_record(TenantId(meta.tenant_id), ProjectId(meta.project_id));
    let unreadable = |detail: String| Unreadable::Header {
        scope,
        detail,
        received_us: meta.received_us,
        traceparent: meta.traceparent.clone(),
        replay_of: meta.replay_of,
    };
    let body = &record.value;
    let parsed = isolate(|| {
        let header_len = batch::header_len(body)?;
        Ok((header_len, batch::parse_header(&body[..header_len], body.len())?))
    });
    let parsed = parsed.map_err(|panic| unreadable(panic.to_string()))?;
    let (header_len, header) = parsed.map_err(|error: batch::HeaderError| unreadable(error.to_string()))?;
    let (signals, dom) = batch::frames(body, header_len, &header);
    Ok(Batch {
        scope,
        session: header.session,
        stream: header.stream,
        seq: header.seq,
        tab: header.tab,
        sent_ms: header.sent,
        from_ms: header.from,
        to_ms: header.to,
        rates: header.rates,
        sampled: header.sampled,
        end: header.end,
        part: header.part,
        signals_info: header.signals,
        signals,
        dom_info: header.dom,
        dom,
        offset: record.position.offset,
        replay_of: meta.replay_of,
        append_us: meta.replay_of.map_or(record.append_us, |_| meta.received_us),
        logged_us: record.append_us,
        received_ms: meta.received_us.div_euclid(1_000),
        body_bytes: body.len(),
        meta,
    })
}

/// Below this a difference between the clocks is what the way of the batch takes.
const NEGLIGIBLE_OFFSET_MS: f64 = 1_000.0;
/// How far in the future of its receipt a time may be: the offset is only known up to what the first batch's way took.
const FUTURE_TOLERANCE_MS: f64 = 60_000.0;
/// How old something may be when it arrives: a session's greatest length, sent on the next day.
const PAST_TOLERANCE_MS: f64 = 2.0 * 86_400_000.0;

impl Batch {
    /// Server time minus browser time, as far as this batch can tell.
    pub(crate) fn clock_offset_ms(&self) -> f64 {
        let offset = (self.received_ms as f64 - self.sent_ms).round();
        if offset.abs() <= NEGLIGIBLE_OFFSET_MS { 0.0 } else { offset }
    }

    /// When its newest event happened, on the server's clock: as long before its receipt as it was old when it was sent.
    pub(crate) fn newest_event_ms(&self) -> i64 {
        let age = (self.sent_ms - self.to_ms).clamp(0.0, PAST_TOLERANCE_MS);
        self.received_ms - age.round() as i64
    }

    /// A browser's time on the server's clock, and whether it was possible. An impossible time becomes the time of receipt.
    pub(crate) fn server_time(&self, browser_ms: f64, offset_ms: f64) -> (i64, bool) {
        let time = browser_ms + offset_ms;
        let received = self.received_ms as f64;
        if (received - PAST_TOLERANCE_MS..=received + FUTURE_TOLERANCE_MS).contains(&time) {
            (time.round() as i64, true)
        } else {
            (self.received_ms, false)
        }
    }
}
