//! Every limit of the wire, in one place. The SDK reads the same numbers from `golden/limits.json`; a test keeps them equal.

/// The body of one batch, header included, in bytes. The topic takes a record of this size and its metadata.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// The header line without its newline.
pub const MAX_HEADER_BYTES: usize = 4 << 10;
/// A signals frame once inflated.
pub const MAX_SIGNALS_RAW_BYTES: usize = 4 << 20;
/// A dom frame once inflated.
pub const MAX_DOM_RAW_BYTES: usize = 16 << 20;
/// One signal's line.
pub const MAX_SIGNAL_BYTES: usize = 128 << 10;
/// Signals in one batch.
pub const MAX_SIGNALS_PER_BATCH: usize = 10_000;
/// Parts of one split dom event.
pub const MAX_PARTS: u32 = 64;
/// A split dom event once joined.
pub const MAX_JOINED_BYTES: usize = 64 << 20;
/// Raw bytes that make the SDK flush.
pub const FLUSH_RAW_BYTES: usize = 64 << 10;
/// Milliseconds after which the SDK flushes.
pub const FLUSH_INTERVAL_MS: u64 = 5_000;
/// Raw bytes of dom that the SDK puts into one part of a split event.
pub const PART_RAW_BYTES: usize = 768 << 10;
/// Unacknowledged bytes that the SDK keeps.
pub const SDK_BUFFER_BYTES: usize = 8 << 20;
/// Raw bytes kept on the main thread for the last batch.
pub const LAST_BATCH_RAW_BYTES: usize = 2 << 20;
/// One keepalive request, and all of them together.
pub const KEEPALIVE_BYTES: usize = 24 << 10;
pub const KEEPALIVE_TOTAL_BYTES: usize = 60 << 10;
/// What the SDK may leave in sessionStorage.
pub const LEFTOVER_BYTES: usize = 512 << 10;
/// How far ahead of the first missing `seq` a batch may be and still be de-duplicated exactly.
pub const MAX_SEQ_GAP: u64 = 4_096;
/// The highest `seq`.
pub const MAX_SEQ: u64 = 1 << 32;
/// A session is cut after this long.
pub const MAX_SESSION_MS: u64 = 24 * 3_600_000;
/// Distinct streams of one session.
pub const MAX_STREAMS: usize = 1_000;

/// An export of spans, as it comes and once inflated.
pub const MAX_EXPORT_BYTES: usize = 4 << 20;
pub const MAX_EXPORT_RAW_BYTES: usize = 16 << 20;
/// Spans that are looked at in one export.
pub const MAX_SPANS_PER_EXPORT: usize = 10_000;
/// One span, or one resource, of an export.
pub const MAX_SPAN_BYTES: usize = 64 << 10;
/// Attributes of a span that are kept, and of each at most so many bytes.
pub const MAX_SPAN_ATTRIBUTES: usize = 32;
pub const MAX_SPAN_TEXT_BYTES: usize = 500;
/// Lines of spans that become one batch.
pub const SPAN_BATCH_BYTES: usize = 256 << 10;
/// Lines of spans that one session keeps.
pub const MAX_SESSION_SPAN_BYTES: u64 = 16 << 20;

/// Name and value of every limit that the SDK shares.
pub const SHARED: &[(&str, u64)] = &[
    ("MAX_BODY_BYTES", MAX_BODY_BYTES as u64),
    ("MAX_HEADER_BYTES", MAX_HEADER_BYTES as u64),
    ("MAX_SIGNALS_RAW_BYTES", MAX_SIGNALS_RAW_BYTES as u64),
    ("MAX_DOM_RAW_BYTES", MAX_DOM_RAW_BYTES as u64),
    ("MAX_SIGNAL_BYTES", MAX_SIGNAL_BYTES as u64),
    ("MAX_SIGNALS_PER_BATCH", MAX_SIGNALS_PER_BATCH as u64),
    ("MAX_PARTS", MAX_PARTS as u64),
    ("MAX_JOINED_BYTES", MAX_JOINED_BYTES as u64),
    ("FLUSH_RAW_BYTES", FLUSH_RAW_BYTES as u64),
    ("FLUSH_INTERVAL_MS", FLUSH_INTERVAL_MS),
    ("PART_RAW_BYTES", PART_RAW_BYTES as u64),
    ("SDK_BUFFER_BYTES", SDK_BUFFER_BYTES as u64),
    ("LAST_BATCH_RAW_BYTES", LAST_BATCH_RAW_BYTES as u64),
    ("KEEPALIVE_BYTES", KEEPALIVE_BYTES as u64),
    ("KEEPALIVE_TOTAL_BYTES", KEEPALIVE_TOTAL_BYTES as u64),
    ("LEFTOVER_BYTES", LEFTOVER_BYTES as u64),
    ("MAX_SESSION_MS", MAX_SESSION_MS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_has_the_same_limits() {
        let golden: std::collections::BTreeMap<String, u64> =
            serde_json::from_str(include_str!("../golden/limits.json"))
                .expect("limits.json is a map of numbers");
        let ours: std::collections::BTreeMap<String, u64> =
            SHARED.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(golden, ours, "write golden/limits.json anew from SHARED");
    }
}
