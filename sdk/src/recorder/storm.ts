/** Share of the main thread that recording may take for long, and how much it may take at once. */
const SUSTAINED_SHARE = 0.5;
const BURST_MS = 2_500;
/** Nodes that one delivery of mutations may add: more is a new page, cheaper to take as a key frame. */
const MAX_NODES_AT_ONCE = 30_000;
/** While paused, a second with fewer records than this is calm. */
const CALM_RECORDS = 2_000;
const FIRST_PAUSE_MS = 3_000;
const LONGEST_PAUSE_MS = 60_000;
/** A storm after so long a calm starts with the short pause again. */
const FORGIVE_MS = 120_000;

function nodesIn(records: MutationRecord[]): number {
  let count = records.length;
  for (const record of records) {
    for (const node of record.addedNodes) {
      count += node.nodeType === 1 ? (node as Element).getElementsByTagName('*').length + 1 : 1;
    }
    if (count > MAX_NODES_AT_ONCE) return count;
  }
  return count;
}

// Attributes and texts would double the browser's work for a hint that is not needed of them.
const OBSERVED: MutationObserverInit = { subtree: true, childList: true };
/** rrweb's share of the work cannot be seen where no nodes come or go; it is about twice ours. */
const UNSEEN_FACTOR = 3;

/**
 * Stands before rrweb in the order of mutation observers: sees what comes, can pull rrweb out before it works on it, and knows
 * when that work began. A page that changes faster than it can be recorded is paused, not slowed.
 */
export class StormGuard {
  private before: MutationObserver | undefined;
  private watching = false;
  private enteredAt = 0;
  private level = 0;
  private levelAt = 0;
  private pauses = 0;
  private lastStormAt = -Infinity;
  private recordsPaused = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly pause: (detail: string) => void,
    private readonly resume: () => void,
  ) {}

  /** To be called before rrweb observes. */
  watch(): void {
    this.before?.disconnect();
    this.before = new MutationObserver((records) => this.enter(records));
    this.before.observe(document, OBSERVED);
    this.watching = true;
    this.level = 0;
    this.levelAt = performance.now();
  }

  /** A change was recorded; our part of the work began at `startedAt`. */
  recorded(startedAt: number): void {
    const now = performance.now();
    const spent = this.enteredAt ? now - this.enteredAt : (now - startedAt) * UNSEEN_FACTOR;
    this.enteredAt = 0;
    this.level = Math.max(0, this.level - (now - this.levelAt) * SUSTAINED_SHARE) + spent;
    this.levelAt = now;
    if (this.level > BURST_MS && this.watching) this.storm('recording took too much of the main thread');
  }

  stop(): void {
    clearTimeout(this.timer);
    this.before?.disconnect();
    this.before = undefined;
  }

  private enter(records: MutationRecord[]): void {
    if (!this.watching) {
      this.recordsPaused += records.length;
      return;
    }
    this.enteredAt = performance.now();
    const nodes = nodesIn(records);
    if (nodes > MAX_NODES_AT_ONCE) this.storm(`more than ${MAX_NODES_AT_ONCE} nodes at once`);
  }

  private storm(detail: string): void {
    this.watching = false;
    this.enteredAt = 0;
    const now = performance.now();
    this.pauses = now - this.lastStormAt > FORGIVE_MS ? 0 : this.pauses + 1;
    this.lastStormAt = now;
    this.pause(detail);
    this.waitForCalm(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.pauses));
  }

  private waitForCalm(pauseMs: number): void {
    this.recordsPaused = 0;
    this.timer = setTimeout(() => {
      const perSecond = this.recordsPaused / (pauseMs / 1000);
      if (perSecond > CALM_RECORDS && pauseMs < LONGEST_PAUSE_MS)
        this.waitForCalm(Math.min(LONGEST_PAUSE_MS, pauseMs * 2));
      else this.resume();
    }, pauseMs);
  }
}
