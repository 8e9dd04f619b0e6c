const MIN_INTERVAL_MS = 30_000;
const MIN_RATIO = 4;
/** A held-back minute needs key frames to be let go of. */
const HELD_INTERVAL_MS = 30_000;
const IDLE_TIMEOUT_MS = 5_000;

type Idle = (callback: () => void) => void;

const whenIdle: Idle = (callback) => {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(() => callback(), { timeout: IDLE_TIMEOUT_MS });
  else setTimeout(callback, 200);
};

/**
 * Decides when to take a key frame: not by a period, but when the page is idle, has changed, 30 s have passed and what has been
 * recorded since outweighs the last one four times, so that seeking is quick and a quiet page costs nothing.
 */
export class KeyFrames {
  private snapshotSize = 0;
  private sizeSince = 0;
  private takenAt: number;
  private scheduled = false;
  private stopped = false;

  constructor(
    private readonly take: () => void,
    private readonly now: () => number,
    private readonly held: () => boolean,
    private readonly idle: Idle = whenIdle,
  ) {
    this.takenAt = now();
  }

  tookSnapshot(size: number): void {
    this.snapshotSize = size;
    this.sizeSince = 0;
    this.takenAt = this.now();
  }

  /** Something else was recorded. */
  recorded(size: number): void {
    this.sizeSince += size;
    if (this.isDue()) this.schedule();
  }

  /** One is needed whatever the rules say. */
  schedule(): void {
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    this.idle(() => {
      this.scheduled = false;
      if (!this.stopped) this.take();
    });
  }

  stop(): void {
    this.stopped = true;
  }

  private isDue(): boolean {
    const age = this.now() - this.takenAt;
    if (this.held()) return age >= HELD_INTERVAL_MS;
    return age >= MIN_INTERVAL_MS && this.sizeSince >= MIN_RATIO * this.snapshotSize;
  }
}
