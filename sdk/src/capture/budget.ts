import type { CaptureContext } from './context.js';

/** Says whether one more signal may be emitted now; `bytes` is what it would have told about. */
export type Budget = (bytes?: number) => boolean;

const WINDOW_MS = 1000;

/**
 * Bounds how many signals of one sort a page can cause in a second. What is over it is dropped and told as one gap a second.
 * Nothing waits for its gap longer than the window, and `close` tells a gap that is still open.
 */
export function createBudget(context: CaptureContext, perSecond: number): { take: Budget; close: () => void } {
  let opened = 0;
  let taken = 0;
  let dropped: { from: number; bytes: number } | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    clearTimeout(timer);
    if (!dropped) return;
    const { from, bytes } = dropped;
    const to = context.now();
    dropped = undefined;
    context.emit({ k: 'gap', t: to, from, to, reason: 'degraded', frame: 'signals', ...(bytes ? { bytes } : {}) });
  };
  const take = (bytes = 0): boolean => {
    const now = context.now();
    if (now - opened >= WINDOW_MS) {
      close();
      opened = now;
      taken = 0;
    }
    if (++taken <= perSecond) return true;
    if (!dropped) {
      dropped = { from: now, bytes: 0 };
      timer = setTimeout(context.guard(close), WINDOW_MS);
    }
    dropped.bytes += bytes;
    return false;
  };
  return { take, close };
}
