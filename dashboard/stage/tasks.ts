/** When something is done that need not be done now. */

/** A frame that does not come within this time comes never: nobody sees the page. */
const NO_FRAME_MS = 250;

/** What waits for a quiet moment waits no longer than this. */
const LATEST_MS = 1000;

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** After whatever else is due: unlike a timer, never delayed in nested use. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

/** Once what has been changed is on screen. */
export function afterPaint(): Promise<void> {
  return new Promise((resolve) => {
    const framed = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      // The frame's own work comes right after its callbacks.
      void nextTask().then(resolve);
    };
    const frame = requestAnimationFrame(framed);
    const timer = setTimeout(framed, NO_FRAME_MS);
  });
}

/** When nothing else is due: for work that takes as long as a frame, such as taking a large page apart. */
export function whenIdle(work: () => void): void {
  if (typeof requestIdleCallback === 'function') requestIdleCallback(work, { timeout: LATEST_MS });
  else setTimeout(work, NO_FRAME_MS);
}
