import type { CaptureContext } from '../context.js';

/** Hands over performance entries of one type, earlier ones included; nothing where the browser has none. */
export function observeEntries(
  context: CaptureContext,
  type: 'longtask' | 'resource',
  take: (entry: PerformanceEntry) => void,
): () => void {
  if (typeof PerformanceObserver !== 'function' || !PerformanceObserver.supportedEntryTypes?.includes(type)) {
    return () => undefined;
  }
  const guarded = context.guard(take);
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((entry) => guarded(entry)));
  observer.observe({ type, buffered: true });
  return () => observer.disconnect();
}
