import type { Capture } from './context.js';
import { roundMs } from './known.js';

/** Cumulative layout shift is a ratio; the others are milliseconds. */
function valueOf(name: string, value: number): number {
  return name === 'CLS' ? Math.round(value * 10_000) / 10_000 : roundMs(value);
}

/**
 * Web vitals by the library of the same name, loaded when the page has time; it reads what happened before. It cannot be
 * uninstalled, so after the undo its reports are dropped.
 */
export const captureVitals: Capture = (context) => {
  let active = true;
  const load = async (): Promise<void> => {
    const { onCLS, onFCP, onINP, onLCP, onTTFB } = await import('web-vitals');
    if (!active) return;
    for (const watch of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
      watch(({ name, value, rating, navigationURL }) => {
        if (!active) return;
        const url = context.privacy.redactUrl(navigationURL ?? location.href);
        context.emit({ k: 'vital', t: context.now(), name, value: valueOf(name, value), rating, url });
      });
    }
  };
  // Vitals are worth less than a page that starts fast, and may be missing where the chunk cannot be had.
  const timer = setTimeout(() => void load().catch(() => undefined));
  return () => {
    active = false;
    clearTimeout(timer);
  };
};
