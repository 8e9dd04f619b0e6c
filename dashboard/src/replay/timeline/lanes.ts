/** Markers as boxes on a lane. Those that would fall on one another become one, so that a lane never holds too many. */
import type { Moment } from '../moments';
import { number } from '../moments';

export interface Box {
  /** The first of its moments. */
  moment: Moment;
  count: number;
  /** Shares of the duration, 0 to 1. */
  from: number;
  to: number;
}

/** Two markers nearer than this share of the lane are one box. */
const NEAR = 0.0025;

export function boxesOf(moments: readonly Moment[], duration: number): Box[] {
  const boxes: Box[] = [];
  for (const moment of moments) {
    const from = share(moment.at, duration);
    const to = share(moment.at + (number(moment.data['duration_ms']) ?? 0), duration);
    const last = boxes.at(-1);
    if (last !== undefined && last.moment.tone === moment.tone && from - last.to < NEAR) {
      last.count += 1;
      last.to = Math.max(last.to, to);
    } else {
      boxes.push({ moment, count: 1, from, to });
    }
  }
  return boxes;
}

export function share(at: number, duration: number): number {
  return duration <= 0 ? 0 : Math.min(1, Math.max(0, at / duration));
}

/** Heights of the activity lane, 0 to 1, for the given number of steps. */
export function activityOf(moments: readonly Moment[], duration: number, steps: number): number[] {
  const counts = new Array<number>(steps).fill(0);
  for (const { at, kind } of moments) {
    if (kind === 'long_task' || kind === 'vital') continue;
    const step = Math.min(steps - 1, Math.floor(share(at, duration) * steps));
    counts[step] = (counts[step] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  return counts.map((count) => Math.sqrt(count / most));
}
