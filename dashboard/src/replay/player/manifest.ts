/** What the server says about a recording, and where in it a moment lies. Times are milliseconds from the session's start. */

export type ReplayState = 'live' | 'complete' | 'partial' | 'not_sampled' | 'recorder_failed' | 'deleted' | 'expired';

export interface Segment {
  id: string;
  href: string;
  from_ms: number;
  to_ms: number;
  first_seq: number;
  last_seq: number;
  key_frame: boolean;
  raw_bytes: number;
}

export interface Gap {
  from_ms: number;
  to_ms: number;
  reason: string;
  detail?: string | null;
}

export interface Stream {
  id: string;
  tab: number;
  url?: string | null;
  from_ms: number;
  to_ms: number;
  clock_offset_ms: number;
  clock_skewed?: boolean;
  viewport?: { width: number; height: number } | null;
  segments: Segment[];
  gaps: Gap[];
}

export interface Manifest {
  session_id: string;
  state: ReplayState;
  reasons: string[];
  started_at: number;
  ended_at: number;
  duration_ms: number;
  streams: Stream[];
  image_hosts: string[];
}

/** The segments that show a moment: from a key frame to the one that holds it. */
export interface Place {
  key: number;
  last: number;
}

/** Null when the stream has no key frame to start from. Before its first key frame the first one is the place. */
export function locate(stream: Stream, at: number): Place | null {
  const { segments } = stream;
  let last = -1;
  while (last + 1 < segments.length && (segments[last + 1]?.from_ms ?? Infinity) <= at) last += 1;
  for (let key = last; key >= 0; key -= 1) {
    if (segments[key]?.key_frame === true) return { key, last };
  }
  const first = segments.findIndex((segment) => segment.key_frame);
  return first === -1 ? null : { key: first, last: Math.max(first, last) };
}

/** Holes shorter than this are the pauses between batches and page loads: nothing to tell. */
const MIN_GAP_MS = 1000;

/** The gap of this stream that `at` lies in, if it is long enough to be shown. */
export function gapAt(stream: Stream, at: number): Gap | null {
  return (
    stream.gaps.find((gap) => gap.from_ms <= at && at < gap.to_ms && gap.to_ms - gap.from_ms >= MIN_GAP_MS) ?? null
  );
}

/** Times between which a stream has something to play. Null when it has no recording of the page at all. */
export function playable(stream: Stream): { from: number; to: number } | null {
  const first = stream.segments.find((segment) => segment.key_frame);
  const last = stream.segments.at(-1);
  return first === undefined || last === undefined ? null : { from: first.from_ms, to: last.to_ms };
}

export function hasRecording(manifest: Manifest): boolean {
  return manifest.streams.some((stream) => playable(stream) !== null);
}
