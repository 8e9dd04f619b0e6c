/** Puts events into the order in which they are played, and leaves out those whose effect a later one replaces. */
import { EventType, type Fields, type RecordedEvent, Source } from './recorded';

const POINTER_SOURCES = new Set<unknown>([Source.MouseMove, Source.TouchMove, Source.Drag]);

/**
 * A recorded pointer move holds up to half a second of positions and is stamped with its end, so it would have to be
 * started before events that are older than it. Cut into single positions with their own times, events are simply
 * ordered by time, and a window can be paused and resumed anywhere without applying anything twice.
 */
export function splitPointerMoves(event: RecordedEvent): RecordedEvent[] {
  if (event.type !== EventType.Incremental || !POINTER_SOURCES.has(event.data.source)) return [event];
  const positions = event.data.positions as { timeOffset: number }[];
  return positions.map((position) => ({
    type: event.type,
    timestamp: event.timestamp + Math.min(0, position.timeOffset),
    data: { ...event.data, positions: [{ ...position, timeOffset: 0 }] },
  }));
}

export function sortByTime(events: RecordedEvent[]): RecordedEvent[] {
  return events.sort((one, other) => one.timestamp - other.timestamp);
}

/**
 * For events that are applied at once: only the last pointer position, and the last scroll, input and size of each
 * element, can be seen. The rest would each force a layout.
 */
export function dropReplaced(events: readonly RecordedEvent[]): RecordedEvent[] {
  const seen = new Set<string>();
  const kept: RecordedEvent[] = [];
  for (let index = events.length - 1; index >= 0; index -= 1) {
    const event = events[index];
    if (event === undefined) continue;
    const key = replaceableKey(event);
    if (key !== null && seen.has(key)) continue;
    if (key !== null) seen.add(key);
    kept.push(event);
  }
  return kept.reverse();
}

function replaceableKey(event: RecordedEvent): string | null {
  if (event.type !== EventType.Incremental) return null;
  const data: Fields = event.data;
  if (POINTER_SOURCES.has(data.source)) return 'pointer';
  switch (data.source) {
    case Source.Scroll:
    case Source.Input:
      return `${String(data.source)} ${String(data.id)}`;
    case Source.ViewportResize:
    case Source.Selection:
      return String(data.source);
    default:
      return null;
  }
}
