import type { AlertSpan } from '../api/alerts';
import type { ZoneMode } from '../format/time';

/** The API's bounds. */
export const SPANS_MAX = 50;
const MESSAGES_MAX = 1000;

export function messagesFault(text: string): string | undefined {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  return value >= 1 && value <= MESSAGES_MAX ? undefined : 'must be 1 to 1,000';
}

/** Whether it goes on, is to come or is over. */
export function stateOf({ from_ms, to_ms }: AlertSpan, now: number): 'now' | 'to come' | 'over' {
  if (now >= to_ms) return 'over';
  return now >= from_ms ? 'now' : 'to come';
}

/** The time that a field of date and time says, in the zone in which times are shown. */
export function timeOf(text: string, zone: ZoneMode): number | null {
  const time = new Date(zone === 'utc' ? `${text}Z` : text).getTime();
  return text === '' || Number.isNaN(time) ? null : time;
}

/** A time as a field of date and time has it. */
export function fieldOf(time: number, zone: ZoneMode): string {
  const offset = zone === 'utc' ? 0 : new Date(time).getTimezoneOffset() * 60_000;
  return new Date(time - offset).toISOString().slice(0, 16);
}

/** What is wrong with a span that is to be added. */
export function spanFault(from: number | null, to: number | null, now: number): string | undefined {
  if (from === null || to === null) return 'needs a begin and an end';
  if (to <= from) return 'must end after it begins';
  return to <= now ? 'is over already' : undefined;
}
