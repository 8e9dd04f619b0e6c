/** The SDK's share of the wire's limits; a test compares them with `proto/golden/limits.json`. Bytes unless named. */
export const MAX_BODY_BYTES = 1 << 20;
export const MAX_HEADER_BYTES = 4 << 10;
export const MAX_SIGNAL_BYTES = 128 << 10;
export const MAX_SIGNALS_PER_BATCH = 10_000;
export const MAX_PARTS = 64;
export const MAX_JOINED_BYTES = 64 << 20;
/** Raw bytes that make a flush. */
export const FLUSH_RAW_BYTES = 64 << 10;
export const FLUSH_INTERVAL_MS = 5_000;
/** Raw bytes of dom in one batch, or in one part of a split event: fits a body even when nothing compresses it. */
export const PART_RAW_BYTES = 768 << 10;
/** Unacknowledged bytes that are kept, offline included. */
export const SDK_BUFFER_BYTES = 8 << 20;
/** Raw bytes that the last batch is made of. */
export const LAST_BATCH_RAW_BYTES = 2 << 20;
export const KEEPALIVE_BYTES = 24 << 10;
export const KEEPALIVE_TOTAL_BYTES = 60 << 10;
/** What may be left in sessionStorage. */
export const LEFTOVER_BYTES = 512 << 10;
export const MAX_SESSION_MS = 24 * 3_600_000;
