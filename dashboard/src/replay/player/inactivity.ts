/** Where nothing happened for a while, so that it may be skipped. Times are milliseconds from the session's start. */

/** Shorter pauses are played. */
const SHORTEST_SKIP_MS = 6000;

/** A skip ends this long before the next thing happens. */
const LEAD_MS = 1000;

export class Activity {
  private times: number[] = [];
  private readonly known = new Set<number>();

  add(times: Iterable<number>): void {
    let grown = false;
    for (const time of times) {
      if (this.known.has(time)) continue;
      this.known.add(time);
      this.times.push(time);
      grown = true;
    }
    if (grown) this.times.sort((one, other) => one - other);
  }

  /**
   * Where to skip to from `at`, or null to play on.
   * @param horizon what happened after this is not known yet
   */
  skipFrom(at: number, horizon: number): number | null {
    const next = this.times[this.firstAfter(at)];
    const target = next === undefined || next > horizon ? horizon : next - LEAD_MS;
    return Number.isFinite(target) && target - at >= SHORTEST_SKIP_MS - LEAD_MS ? target : null;
  }

  private firstAfter(at: number): number {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.times[middle] ?? Infinity) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
