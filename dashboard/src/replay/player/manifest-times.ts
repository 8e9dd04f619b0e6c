import type { Manifest } from '../../api/model';

interface Timed {
  from_ms: number;
  to_ms: number;
}

/**
 * The same manifest with segments that follow one another. A batch's times span its signals, too, and a request is stamped
 * with its start, so neighbours may overlap. Their recordings do not: a batch holds nothing of the page that is older than
 * the batch before it.
 */
export function putInSequence(manifest: Manifest): Manifest {
  const streams = manifest.streams.map((stream) => ({ ...stream, segments: inSequence(stream.segments) }));
  return { ...manifest, streams };
}

function inSequence<Item extends Timed>(segments: readonly Item[]): Item[] {
  let latest = Number.NEGATIVE_INFINITY;
  return segments.map((segment) => {
    const from_ms = Math.max(segment.from_ms, latest);
    const to_ms = Math.max(segment.to_ms, from_ms);
    latest = to_ms;
    return { ...segment, from_ms, to_ms };
  });
}
