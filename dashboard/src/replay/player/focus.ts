/** Which tab the person was looking at: from visibility, and from what they did last. */
import type { Stream } from './manifest';

/** A signal as far as it tells where the person was. */
export interface Attention {
  at_ms: number;
  stream: string;
  kind: string;
  visible?: boolean | undefined;
}

export interface Focus {
  from_ms: number;
  stream: string;
}

const DOING = new Set(['page', 'click', 'input', 'navigation', 'rage_click', 'dead_click']);

interface Sight {
  visible: boolean;
  attended: number;
  to: number;
}

/** In order of time; each holds until the next. Never empty when there is a stream. */
export function followFocus(streams: readonly Stream[], signals: readonly Attention[]): Focus[] {
  const starts = streams.map((stream) => ({ at_ms: stream.from_ms, stream: stream.id, kind: 'page' }));
  const points: Attention[] = [...starts, ...signals].sort((one, other) => one.at_ms - other.at_ms);
  const sights = new Map<string, Sight>(
    streams.map((stream) => [stream.id, { visible: true, attended: Number.NEGATIVE_INFINITY, to: stream.to_ms }]),
  );
  const focus: Focus[] = [];
  for (const point of points) {
    const sight = sights.get(point.stream);
    if (sight === undefined) continue;
    const next = follow(sights, sight, point, focus.at(-1)?.stream);
    if (next !== null && next !== focus.at(-1)?.stream) focus.push({ from_ms: point.at_ms, stream: next });
  }
  return focus;
}

/** The stream in focus after `point`, or null when it does not change. */
function follow(
  sights: Map<string, Sight>,
  sight: Sight,
  point: Attention,
  current: string | undefined,
): string | null {
  if (point.visible !== undefined) sight.visible = point.visible;
  if (point.visible === false)
    return point.stream === current ? lastAttended(sights, point.at_ms) : current === undefined ? point.stream : null;
  if (point.visible !== true && !DOING.has(point.kind)) return null;
  sight.attended = point.at_ms;
  if (!sight.visible && current !== undefined) return null;
  return point.stream;
}

function lastAttended(sights: Map<string, Sight>, at: number): string | null {
  const open = [...sights].filter(([, sight]) => sight.visible && Number.isFinite(sight.attended) && sight.to > at);
  open.sort(([, one], [, other]) => other.attended - one.attended);
  return open[0]?.[0] ?? null;
}

export function focusAt(focus: readonly Focus[], at: number): string | null {
  let low = 0;
  let high = focus.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((focus[middle]?.from_ms ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return (focus[low - 1] ?? focus[0])?.stream ?? null;
}
