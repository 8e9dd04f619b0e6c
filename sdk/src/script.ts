import { createApi, type PlayheadApi } from './api.js';
import type { StartOptions } from './options.js';
import type { Stub } from './stub.js';

/** The options of a script tag: `data-key`, `data-sample-rate`, … */
function optionsOf(tag: HTMLScriptElement | null): Partial<StartOptions> {
  const data = tag?.dataset ?? {};
  // A text that is no number stays as it is, so that the warning can show it.
  const number = (text: string | undefined): number | string | undefined =>
    text === undefined || !text.trim() || Number.isNaN(Number(text)) ? text : Number(text);
  const found = {
    key: data.key,
    endpoint: data.endpoint,
    release: data.release,
    environment: data.environment,
    sampleRate: number(data.sampleRate),
    onErrorSampleRate: number(data.onErrorSampleRate),
    signalSampleRate: number(data.signalSampleRate),
    maxIdleMs: number(data.maxIdleMs),
    cookieDomain: data.cookieDomain,
    crossSubdomain: data.crossSubdomain === undefined ? undefined : data.crossSubdomain !== 'false',
    capture: captureOf(data),
    privacy: data.mask === 'all' ? { mask: 'all' as const } : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<StartOptions>;
}

/** `data-trace-origins` is a list with spaces in between, or `none`. */
function captureOf({ traceOrigins, traceSampled }: DOMStringMap): StartOptions['capture'] {
  const origins = traceOrigins?.split(/\s+/).filter(Boolean);
  return {
    ...(origins && { traceOrigins: origins[0] === 'none' ? false : origins }),
    ...(traceSampled && { traceSampled: traceSampled !== 'false' }),
  };
}

function originOf(tag: HTMLScriptElement | null): string | undefined {
  try {
    return tag?.src ? new URL(tag.src).origin : undefined;
  } catch {
    return undefined;
  }
}

function run(): void {
  const page = window as { playhead?: Partial<PlayheadApi> & Stub };
  // Loaded twice: the first one stays.
  if (page.playhead?.version) return;
  const tag = document.currentScript as HTMLScriptElement | null;
  const stub = page.playhead;
  const defaults = optionsOf(tag);
  const api = createApi({ defaults, origin: originOf(tag), stub });
  page.playhead = api;
  const queued = stub?.q?.splice(0) ?? [];
  const startsItself = tag !== null && tag.dataset.manual === undefined && defaults.key !== undefined;
  if (startsItself && !queued.some(([method]) => method === 'start')) api.start();
  for (const [method, values] of queued) {
    const call = api[method as keyof PlayheadApi] as unknown;
    if (typeof call === 'function') (call as (...values: unknown[]) => void)(...Array.from(values));
  }
}

try {
  run();
} catch {
  // Nothing of ours may disturb the page.
}
