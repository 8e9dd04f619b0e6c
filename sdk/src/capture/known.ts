/** Fields as they come: those that are not known are undefined. */
type Maybe<T> = { [K in keyof T]: T[K] | undefined };

/** The same without what is not known: absent means unknown on the wire. */
export function known<T extends object>(fields: Maybe<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** A time of the performance clock (`event.timeStamp`, `entry.startTime`) as milliseconds of the epoch. */
export function epochOf(now: number, performanceTimeMs: number): number {
  const ago = performance.now() - performanceTimeMs;
  return ago > 0 ? now - ago : now;
}

export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
