const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** How long to wait after the n-th failure in a row: exponential with full jitter, never sooner than the server asked for. */
export class Backoff {
  private failures = 0;

  succeed(): void {
    this.failures = 0;
  }

  /** Milliseconds until the next attempt. */
  fail(afterMs: number | undefined, random: () => number = Math.random): number {
    const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 16);
    if (afterMs !== undefined) return afterMs + random() * Math.min(ceiling, afterMs * 0.2);
    return ceiling / 2 + (random() * ceiling) / 2;
  }
}
