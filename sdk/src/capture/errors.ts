import { listen } from '../guard.js';
import { createBudget, type Budget } from './budget.js';
import type { Capture, CaptureContext } from './context.js';
import { errorSignalOf, isErrorLike, type ErrorDetails } from './error-signal.js';
import { epochOf } from './known.js';

const ERRORS_PER_SECOND = 20;
const MAX_VIOLATIONS = 50;

/** Errors that were told already, by whichever route; they are only remembered while the page holds them. */
const told = new WeakSet<object>();
/** One for each recording that captures errors. */
const budgets = new WeakMap<CaptureContext, Budget>();
/** The recording that React's handlers and boundary report to. */
let current: CaptureContext | undefined;

/**
 * Emits a thrown value as an `error` signal and asks for an early batch. The same object through several routes counts once.
 * Returns the signal's id; undefined when it was told before or there are too many.
 */
export function reportError(context: CaptureContext, value: unknown, details: ErrorDetails): string | undefined {
  if (typeof value === 'object' && value !== null) {
    if (told.has(value)) return undefined;
    told.add(value);
  }
  if (budgets.get(context)?.() === false) return undefined;
  const signal = errorSignalOf(value, details, context);
  context.emit(signal);
  if (details.mechanism !== 'resource' && details.mechanism !== 'csp') context.urgent();
  return signal.id;
}

/** As `reportError`, to the recording under way; false when there is none. */
export function reportReactError(value: unknown, handled: boolean, componentStack: string | undefined): boolean {
  const context = current;
  if (!context) return false;
  context.guard(reportError)(context, value, { mechanism: 'react', handled, componentStack });
  return true;
}

/**
 * Errors among the arguments of `console.error`. They wait for the end of the task: code that writes an error out often throws
 * it too, and then how it ended is worth more.
 */
export function reportConsoleError(context: CaptureContext, args: unknown[]): void {
  if (!budgets.has(context)) return;
  const t = context.now();
  for (const value of args.slice(0, 5)) {
    if (!isErrorLike(value) || told.has(value)) continue;
    const report = context.guard(() => reportError(context, value, { mechanism: 'console', handled: true, t }));
    setTimeout(report);
  }
}

/** "Uncaught TypeError: x is not a function", all that is left of an error of another origin or of a worker. */
function fromMessage(message: string): { name: string; message: string; stack: string } {
  const [, name, rest] = /^(?:Uncaught )?(?:([A-Z]\w*(?:Error|Exception)): )?(.*)$/s.exec(message) ?? [];
  return { name: name ?? 'Error', message: rest || message, stack: '' };
}

function onUncaught(context: CaptureContext, event: ErrorEvent): void {
  reportError(context, event.error ?? fromMessage(event.message), {
    mechanism: 'uncaught',
    handled: false,
    t: epochOf(context.now(), event.timeStamp),
    source: event.filename,
    line: event.lineno,
    column: event.colno,
  });
}

function onRejection(context: CaptureContext, event: PromiseRejectionEvent): void {
  const t = epochOf(context.now(), event.timeStamp);
  reportError(context, event.reason, { mechanism: 'unhandledrejection', handled: false, t });
}

/** An image, script or stylesheet that did not load: its event does not bubble, but it can be caught on the way down. */
function onResource(context: CaptureContext, event: Event): void {
  const element = event.target;
  if (!(element instanceof Element) || context.privacy.isBlocked(element)) return;
  const { src, href, currentSrc } = element as HTMLImageElement & HTMLLinkElement;
  const url = currentSrc || src || href;
  if (typeof url !== 'string' || !url || isOwn(context, url)) return;
  const message = `failed to load <${element.localName}> ${url}`;
  const error = { name: 'ResourceError', message, stack: undefined };
  const t = epochOf(context.now(), event.timeStamp);
  reportError(context, error, { mechanism: 'resource', handled: false, t, source: url });
}

function isOwn(context: CaptureContext, url: string): boolean {
  return url.startsWith(`${context.endpoint}/sdk/`);
}

function createViolationHandler(context: CaptureContext): (event: SecurityPolicyViolationEvent) => void {
  const seen = new Set<string>();
  return (event) => {
    const { blockedURI, effectiveDirective, sourceFile, lineNumber, columnNumber } = event;
    // Our own attempts at a worker are refused by strict policies; the page did nothing wrong.
    if (blockedURI.startsWith(context.endpoint) || isOwn(context, sourceFile)) return;
    const message = `${effectiveDirective} blocked ${blockedURI || 'inline'}`;
    if (seen.has(message) || seen.size >= MAX_VIOLATIONS) return;
    seen.add(message);
    reportError(
      context,
      { name: 'SecurityPolicyViolation', message, stack: undefined },
      {
        mechanism: 'csp',
        handled: event.disposition === 'report',
        t: epochOf(context.now(), event.timeStamp),
        source: sourceFile,
        line: lineNumber,
        column: columnNumber,
      },
    );
  };
}

/** Uncaught errors, unhandled rejections, resources that failed to load, and violations of the page's security policy. */
export const captureErrors: Capture = (context) => {
  const budget = createBudget(context, ERRORS_PER_SECOND);
  const onViolation = createViolationHandler(context);
  budgets.set(context, budget.take);
  current = context;
  const handle = (event: Event): void => {
    if (event.type === 'unhandledrejection') onRejection(context, event as PromiseRejectionEvent);
    else if (event instanceof ErrorEvent) onUncaught(context, event);
    else onResource(context, event);
  };
  const undos = [
    listen(window, 'error', handle, { capture: true }),
    listen(window, 'unhandledrejection', handle),
    listen(document, 'securitypolicyviolation', (event) => onViolation(event as SecurityPolicyViolationEvent)),
  ];
  const early = context.guard(handle);
  for (const event of context.earlyErrors()) early(event);
  return () => {
    for (const undo of undos) undo();
    budget.close();
    budgets.delete(context);
    if (current === context) current = undefined;
  };
};
