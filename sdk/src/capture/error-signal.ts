import { randomHex } from '../random.js';
import type { ErrorCause, ErrorMechanism, ErrorSignal } from '../signal.js';
import type { CaptureContext } from './context.js';
import { debugIdsOf } from './debug-ids.js';
import { known } from './known.js';
import { serialize } from './serialize.js';

const MAX_MESSAGE = 4096;
const MAX_TYPE = 200;
const MAX_STACK = 16_384;
const MAX_INNER_STACK = 4096;
const MAX_CAUSES = 5;
const MAX_ERRORS = 10;
const MAX_CONTEXT = 8192;
const MAX_FINGERPRINT = 10;

/** What is known besides the thrown value. */
export interface ErrorDetails {
  mechanism: ErrorMechanism;
  handled: boolean;
  t?: number | undefined;
  source?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  componentStack?: string | undefined;
  context?: Record<string, unknown> | undefined;
  fingerprint?: readonly string[] | undefined;
}

interface ErrorLike {
  name?: unknown;
  message?: unknown;
  stack?: unknown;
  cause?: unknown;
  errors?: unknown;
}

/** Errors of other frames are not `instanceof Error` here; a DOMException is none anywhere. */
export function isErrorLike(value: unknown): value is ErrorLike {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Error || (typeof (value as ErrorLike).message === 'string' && 'stack' in value);
}

function textOr(value: unknown, fallback: string, length: number): string {
  return typeof value === 'string' && value ? value.slice(0, length) : fallback;
}

function describe(value: unknown, context: CaptureContext, maxStack: number): ErrorCause {
  const { privacy } = context;
  if (!isErrorLike(value)) {
    const isEvent = typeof Event === 'function' && value instanceof Event;
    const text = isEvent
      ? `event "${value.type}"`
      : serialize(value, privacy, { depth: 3, members: 20, length: MAX_MESSAGE }).text;
    return { type: 'NonError', message: text };
  }
  const stack = textOr(value.stack, '', maxStack);
  return known<ErrorCause>({
    type: textOr(value.name, 'Error', MAX_TYPE),
    message: privacy.redactText(textOr(value.message, '', MAX_MESSAGE)),
    stack: stack ? privacy.redactText(stack) : undefined,
  });
}

/** The chain of `cause`, bounded; an error met twice ends it. */
function causesOf(value: unknown, context: CaptureContext): ErrorCause[] | undefined {
  const causes: ErrorCause[] = [];
  const met = new Set<unknown>([value]);
  let at = value;
  while (isErrorLike(at) && causes.length < MAX_CAUSES) {
    at = at.cause;
    if (at === undefined || at === null || met.has(at)) break;
    met.add(at);
    causes.push(describe(at, context, MAX_INNER_STACK));
  }
  return causes.length ? causes : undefined;
}

function partsOf(value: unknown, context: CaptureContext): ErrorCause[] | undefined {
  const errors = isErrorLike(value) ? value.errors : undefined;
  if (!Array.isArray(errors) || !errors.length) return undefined;
  return errors.slice(0, MAX_ERRORS).map((error) => describe(error, context, MAX_INNER_STACK));
}

function contextOf(given: Record<string, unknown> | undefined, context: CaptureContext): ErrorSignal['context'] {
  if (!given) return undefined;
  const kept: Record<string, unknown> = {};
  let left = MAX_CONTEXT;
  for (const name of Object.keys(given).slice(0, 50)) {
    if (left <= 0) break;
    const value = given[name];
    const isPlain = typeof value === 'number' || typeof value === 'boolean' || value === null;
    // Written with its name, so that the rules see both.
    const { text } = serialize({ [name]: value }, context.privacy, { depth: 4, members: 30, length: left });
    left -= text.length;
    const inside = text.slice(1 + name.length + 2, -1);
    kept[name.slice(0, 100)] = isPlain && inside === String(value) ? value : inside.replace(/^"(.*)"$/s, '$1');
  }
  return kept;
}

function fingerprintOf(given: readonly string[] | undefined, context: CaptureContext): string[] | undefined {
  if (!Array.isArray(given) || !given.length) return undefined;
  const parts = given.slice(0, MAX_FINGERPRINT);
  return parts.map((part) => context.privacy.redactText(String(part).slice(0, MAX_TYPE)));
}

/** Everything the page tells about a thrown value, bounded and redacted. */
export function errorSignalOf(value: unknown, details: ErrorDetails, context: CaptureContext): ErrorSignal {
  const { privacy } = context;
  const described = describe(value, context, MAX_STACK);
  const rawStack = isErrorLike(value) && typeof value.stack === 'string' ? value.stack : '';
  return known<ErrorSignal>({
    k: 'error',
    t: details.t ?? context.now(),
    id: randomHex(8),
    type: described.type,
    message: described.message,
    stack: described.stack,
    mechanism: details.mechanism,
    handled: details.handled,
    source: details.source ? privacy.redactUrl(details.source) : undefined,
    line: details.line || undefined,
    column: details.column || undefined,
    causes: causesOf(value, context),
    errors: partsOf(value, context),
    debug_ids: debugIdsOf(rawStack, (url) => privacy.redactUrl(url)),
    component_stack: details.componentStack
      ? privacy.redactText(details.componentStack.slice(0, MAX_INNER_STACK))
      : undefined,
    context: contextOf(details.context, context),
    fingerprint: fingerprintOf(details.fingerprint, context),
    url: privacy.redactUrl(location.href),
  });
}
