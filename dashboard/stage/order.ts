/** Puts events into the order in which they are played. */
import { EventType, POINTER_SOURCES, type RecordedEvent } from './recorded';

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
