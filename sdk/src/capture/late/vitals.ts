import { onCLS, onFCP, onINP, onLCP, onTTFB, type MetricType } from 'web-vitals';
import type { Capture } from '../context.js';
import { roundMs } from '../known.js';

/** Cumulative layout shift is a ratio; the others are milliseconds. */
function valueOf(name: string, value: number): number {
  return name === 'CLS' ? Math.round(value * 10_000) / 10_000 : roundMs(value);
}

/**
 * Web vitals by the library of the same name, which also reads what happened before. It cannot be uninstalled: one set of its
 * observers serves every recording of the document.
 */
let listening: ((metric: MetricType) => void) | undefined;
let isInstalled = false;

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  for (const watch of [onCLS, onFCP, onINP, onLCP, onTTFB]) watch((metric) => listening?.(metric));
}

export const captureVitals: Capture = (context) => {
  const tell = context.guard(({ name, value, rating, navigationURL }: MetricType) => {
    const url = context.privacy.redactUrl(navigationURL ?? location.href);
    context.emit({ k: 'vital', t: context.now(), name, value: valueOf(name, value), rating, url });
  });
  listening = tell;
  install();
  return () => {
    if (listening === tell) listening = undefined;
  };
};
