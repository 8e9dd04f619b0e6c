import type { Manifest } from '../../api/model';

/** No session is this long, and every time of the epoch's scale is later. */
const LONGEST_SESSION_MS = 100 * 24 * 3_600_000;

interface Timed {
  from_ms: number;
  to_ms: number;
}

/**
 * The same manifest with the times of streams, segments and gaps in milliseconds from the session's start. A server may
 * count them from there or from the Unix epoch; the two cannot be mistaken for one another.
 */
export function countFromStart(manifest: Manifest): Manifest {
  const shift = <Item extends Timed>(item: Item): Item =>
    item.from_ms < LONGEST_SESSION_MS
      ? item
      : { ...item, from_ms: item.from_ms - manifest.started_at, to_ms: item.to_ms - manifest.started_at };
  const streams = manifest.streams.map((stream) => ({
    ...shift(stream),
    segments: inSequence(stream.segments.map(shift)),
    gaps: stream.gaps.map(shift),
  }));
  return { ...manifest, streams };
}

/**
 * A batch's times span its signals, too, and a request is stamped with its start, so segments may seem to overlap. Their
 * recordings do not: a batch holds nothing of the page that is older than the batch before it.
 */
function inSequence<Item extends Timed>(segments: readonly Item[]): Item[] {
  let latest = Number.NEGATIVE_INFINITY;
  return segments.map((segment) => {
    const from_ms = Math.max(segment.from_ms, latest);
    const to_ms = Math.max(segment.to_ms, from_ms);
    latest = to_ms;
    return { ...segment, from_ms, to_ms };
  });
}
