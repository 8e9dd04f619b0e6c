import { randomHex } from '../../random.js';
import type { CaptureContext } from '../context.js';

interface HeaderAccess {
  get(name: string): string | null;
  set(name: string, value: string): void;
}

/** Trace and span of the W3C form `00-<trace>-<span>-<flags>`. */
export function traceOf(traceparent: string | null | undefined): string[] {
  return /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-/.exec(traceparent ?? '')?.slice(1) ?? [];
}

/**
 * Adds the request to a trace, and the session to the trace's state, from where backends pass it on: towards the page's own origin and
 * those that are listed. Others would have to allow the headers, or refuse the request. What the page has set stays.
 */
export function addTrace({ options, session }: CaptureContext, address: string, headers: HeaderAccess): boolean {
  const { traceOrigins = [], traceSampled = true } = options;
  const { origin } = new URL(address);
  if (!traceOrigins || (origin !== self.origin && !traceOrigins.includes(origin))) return false;
  let isAdded = false;
  const add = (name: string, value: string): void => {
    if (headers.get(name) !== null) return;
    headers.set(name, value);
    isAdded = true;
  };
  add('traceparent', `00-${randomHex(16)}-${randomHex(8)}-0${traceSampled ? 1 : 0}`);
  const id = session();
  if (id) add('tracestate', `playhead=${id}`);
  return isAdded;
}
