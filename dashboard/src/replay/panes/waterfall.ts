/** The scales of the waterfall. Times are milliseconds from the session's start. */
import type { Moment } from '../moments';
import { wholeTime } from './timing';

export interface Span {
  from: number;
  to: number;
}

/** Requests that follow one another closely share one scale, so that their bars show offsets as well as lengths. */
const PAUSE_MS = 1500;
const LONGEST_SPAN_MS = 30_000;

/** A scale is at least this long, so that a quick request looks quick even when it was alone. */
export const SHORTEST_SCALE_MS = 1000;

export function groupsOf(items: readonly Moment[]): Map<string, Span> {
  const spans = new Map<string, Span>();
  let current: Span | null = null;
  for (const moment of items) {
    const end = moment.at + wholeTime(moment.data);
    const joins = current !== null && moment.at - current.to < PAUSE_MS && moment.at - current.from < LONGEST_SPAN_MS;
    if (current === null || !joins) current = { from: moment.at, to: end };
    else current.to = Math.max(current.to, end);
    spans.set(moment.id, current);
  }
  return spans;
}
