import { listen } from './guard.js';

export interface LifecycleHost {
  /** The user did something on the page. Called at most once a second. */
  active(): void;
  /** The page became hidden: it may be gone for good. */
  hidden(): void;
  visible(): void;
  /** The document goes; `kept` when the browser may bring it back. */
  leaving(kept: boolean): void;
  /** The document was brought back by the back-forward cache. */
  restored(): void;
  online(): void;
  /** Time to see whether the visit is over. */
  tick(): void;
}

const ACTIVITY = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'];
const ACTIVITY_INTERVAL_MS = 1_000;

/** Listens to what happens to the page as a whole. No `unload` and no lock: both would keep it out of the back-forward cache. */
export function followLifecycle(host: LifecycleHost, tickMs: number): () => void {
  let lastActive = -Infinity;
  const active = (): void => {
    const now = performance.now();
    if (now - lastActive < ACTIVITY_INTERVAL_MS) return;
    lastActive = now;
    host.active();
  };
  const undo = ACTIVITY.map((type) => listen(window, type, active, { passive: true, capture: true }));
  undo.push(
    listen(document, 'visibilitychange', () =>
      document.visibilityState === 'hidden' ? host.hidden() : host.visible(),
    ),
    listen(window, 'pagehide', (event) => host.leaving((event as PageTransitionEvent).persisted)),
    listen(window, 'pageshow', (event) => {
      if ((event as PageTransitionEvent).persisted) host.restored();
    }),
    listen(window, 'online', () => host.online()),
  );
  const timer = setInterval(() => host.tick(), tickMs);
  return () => {
    clearInterval(timer);
    for (const undoOne of undo) undoOne();
  };
}
