import type { Privacy } from '../privacy/privacy.js';
import type { Signal } from '../signal.js';

/** What a page may switch off or allow. Everything is on unless it says so, bodies excepted. */
export interface CaptureOptions {
  console?: boolean;
  network?: boolean;
  clicks?: boolean;
  navigation?: boolean;
  vitals?: boolean;
  longTasks?: boolean;
  errors?: boolean;
  /** URLs whose request and response bodies are recorded. None by default. */
  networkBodies?: (string | RegExp)[];
  /** Cap for one body, in characters. */
  networkBodyLimit?: number;
  /** Names of headers that are recorded, in lower case. None by default. */
  networkHeaders?: string[];
  /** Origins besides the page's own whose requests get `traceparent` and `tracestate`; `false`: none, not even its own. */
  traceOrigins?: string[] | false;
  /** Whether `traceparent` asks backends to record. Default true. */
  traceSampled?: boolean;
  release?: string;
  environment?: string;
}

/** What the rest of the SDK gives to a capture. */
export interface CaptureContext {
  /** Takes over a finished signal; never throws, never blocks. */
  emit(signal: Signal): void;
  /** Sends what is buffered at once, e.g. after an error. */
  urgent(): void;
  privacy: Privacy;
  /** Milliseconds of the Unix epoch, with fractions, monotonic within a document. */
  now(): number;
  options: CaptureOptions;
  /** Wraps a function so that its own failures are swallowed and counted, never seen by the page. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a guard accepts any function
  guard<F extends (...args: any[]) => any>(callback: F): F;
  /** Origin and path that our own requests start with; never record those. */
  endpoint: string;
  /** The session whose signals are sent; undefined while none are. */
  session(): string | undefined;
  /** The latest click and when the page heard of it, which a busy page does late: to tell which click started a request. */
  lastClick(): { id: string; t: number } | undefined;
  /**
   * Errors that the inline stub caught before the script came, oldest first; each is handed out once. Reading them also
   * ends the stub's own listening, so install your listeners in the same task.
   */
  earlyErrors(): (ErrorEvent | PromiseRejectionEvent | Event)[];
  /** Set by the clicks capture. */
  noteClick(click: { id: string; t: number }): void;
  /** Calls the listener, at most once per task, after the DOM changed. Returns the undo. */
  onDomMutation(listener: () => void): () => void;
}

/** Installs itself and returns what undoes it. Installing twice and undoing twice are harmless. */
export type Capture = (context: CaptureContext) => () => void;
