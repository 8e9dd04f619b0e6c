import { listen } from '../guard.js';
import type { ConsoleSignal } from '../signal.js';
import { createBudget } from './budget.js';
import type { Capture, CaptureContext } from './context.js';
import { reportConsoleError } from './errors.js';
import { patchMethod } from './patch.js';
import { serialize } from './serialize.js';

const LEVELS = ['debug', 'log', 'info', 'warn', 'error'] as const;
const MAX_ARGUMENTS = 20;
const MAX_ARGUMENT_LENGTH = 2048;
const MAX_LINE_LENGTH = 8192;
const LINES_PER_SECOND = 100;
/** How long repeats of a line are gathered before they are told. */
const REPEAT_MS = 1000;

/** Fills `%s`, `%d`, `%o` and the like in as the browser's own console does; `%c` and its style vanish. */
function fillFormat(args: unknown[], write: (value: unknown) => string): unknown[] {
  const [format, ...rest] = args;
  if (typeof format !== 'string' || !rest.length || !format.includes('%')) return args;
  const filled = format.slice(0, MAX_LINE_LENGTH).replace(/%([sdifoOc%])/g, (whole, kind: string) => {
    if (kind === '%') return '%';
    if (!rest.length) return whole;
    const value = rest.shift();
    return kind === 'c' ? '' : write(value);
  });
  return [filled, ...rest];
}

function lineOf(context: CaptureContext, level: ConsoleSignal['level'], given: unknown[]): ConsoleSignal {
  let truncated = given.length > MAX_ARGUMENTS;
  let left = MAX_LINE_LENGTH;
  const write = (value: unknown): string => {
    const length = Math.min(MAX_ARGUMENT_LENGTH, left);
    const written = serialize(value, context.privacy, { depth: 3, members: 30, length });
    truncated ||= written.truncated;
    left = Math.max(0, left - written.text.length);
    return written.text;
  };
  const args = fillFormat(given.slice(0, MAX_ARGUMENTS), write);
  left = MAX_LINE_LENGTH;
  return { k: 'console', t: context.now(), level, args: args.map(write), ...(truncated ? { truncated } : {}) };
}

/** Emits a line at once; the same line again and again becomes one more signal with a count. */
function createCollapser(context: CaptureContext): { push: (line: ConsoleSignal) => void; flush: () => void } {
  const budget = createBudget(context, LINES_PER_SECOND);
  let last = '';
  let repeats: ConsoleSignal | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const told = repeats;
    repeats = undefined;
    if (told) context.emit(told);
  };
  const push = (line: ConsoleSignal): void => {
    const text = line.level + line.args.join('\0');
    if (text !== last) {
      flush();
      last = text;
      if (budget.take(text.length)) context.emit(line);
    } else if (repeats) {
      repeats.count = (repeats.count ?? 1) + 1;
    } else {
      repeats = line;
      timer = setTimeout(context.guard(flush), REPEAT_MS);
    }
  };
  return {
    push,
    flush: () => {
      flush();
      budget.close();
    },
  };
}

/** The console's five levels. Errors among the arguments of `console.error` are also reported as errors, once. */
export const captureConsole: Capture = (context) => {
  const collapser = createCollapser(context);
  let busy = false;
  const record = context.guard((level: ConsoleSignal['level'], args: unknown[]) => {
    busy = true;
    try {
      collapser.push(lineOf(context, level, args));
      if (level === 'error') reportConsoleError(context, args);
    } finally {
      busy = false;
    }
  });
  const undos = LEVELS.map((level) =>
    patchMethod(console, level, (_self, args, callOriginal) => {
      // What we do with the arguments may itself write to the console.
      if (!busy) record(level, args);
      return callOriginal();
    }),
  );
  undos.push(listen(window, 'pagehide', collapser.flush, { capture: true }));
  undos.push(listen(window, 'visibilitychange', collapser.flush, { capture: true }));
  return () => {
    for (const undo of undos.reverse()) undo();
    collapser.flush();
  };
};
