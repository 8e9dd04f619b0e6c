/**
 * The small typed records of the `signals` frame, one JSON object a line. The fields are those of the wire contract
 * (`proto/README.md`, "Signals"). `t` is milliseconds of the Unix epoch by this browser's clock, fractions allowed.
 * Absent means unknown; a value that is not known is left out, never written as 0.
 */

interface Timed {
  t: number;
}

export interface PageSignal extends Timed {
  k: 'page';
  url: string;
  referrer?: string;
  title?: string;
  /** CSS pixels, width then height. */
  screen: [number, number];
  viewport: [number, number];
  dpr: number;
  language: string;
  time_zone: string;
  user_agent: string;
  platform?: string;
  /** Client-hint brands: name, version. */
  brands?: [string, string][];
  mobile?: boolean;
  release?: string;
  environment?: string;
  sdk: string;
  connection?: string;
  visibility: 'visible' | 'hidden';
}

export interface NavigationSignal extends Timed {
  k: 'navigation';
  url: string;
  from: string;
  how: 'load' | 'push' | 'replace' | 'pop' | 'hash' | 'bfcache';
  title?: string;
}

export type ErrorMechanism = 'uncaught' | 'unhandledrejection' | 'console' | 'captured' | 'react' | 'resource' | 'csp';

export interface ErrorCause {
  type: string;
  message: string;
  stack?: string;
}

export interface ErrorSignal extends Timed {
  k: 'error';
  /** 16 lower-case hex digits. */
  id: string;
  type: string;
  message: string;
  /** The browser's own text, not parsed. */
  stack?: string;
  mechanism: ErrorMechanism;
  handled: boolean;
  source?: string;
  line?: number;
  column?: number;
  causes?: ErrorCause[];
  /** The parts of an AggregateError. */
  errors?: ErrorCause[];
  /** Script URL to debug id. */
  debug_ids?: Record<string, string>;
  component_stack?: string;
  context?: Record<string, unknown>;
  /** What the page wants the error to be grouped by. */
  fingerprint?: string[];
  /** The page's address. */
  url: string;
}

export interface RequestTiming {
  queued_ms?: number;
  dns_ms?: number;
  connect_ms?: number;
  tls_ms?: number;
  send_ms?: number;
  wait_ms?: number;
  download_ms?: number;
}

export interface ServerTiming {
  name: string;
  duration_ms?: number;
  description?: string;
}

export interface RequestSignal extends Timed {
  k: 'request';
  id: string;
  api: 'fetch' | 'xhr' | 'beacon';
  method: string;
  url: string;
  /** Of GraphQL: what the operation is called, never its text. */
  operation?: string;
  status?: number;
  duration_ms?: number;
  outcome: 'ok' | 'http_error' | 'network_error' | 'aborted' | 'timeout';
  request_bytes?: number;
  response_bytes?: number;
  timing?: RequestTiming;
  /** From the response's end to the next painted frame. */
  frontend_ms?: number;
  server_timing?: ServerTiming[];
  request_headers?: Record<string, string>;
  response_headers?: Record<string, string>;
  request_body?: string;
  response_body?: string;
  trace_id?: string;
  /** Of the request itself: what the backend's first span calls its parent. */
  span_id?: string;
  /** Id of the click that started it. */
  click?: string;
}

export interface WebSocketSignal extends Timed {
  k: 'websocket';
  id: string;
  op: 'open' | 'message' | 'close' | 'error';
  url: string;
  direction?: 'in' | 'out';
  bytes?: number;
  code?: number;
  reason?: string;
  duration_ms?: number;
}

export interface ConsoleSignal extends Timed {
  k: 'console';
  level: 'debug' | 'log' | 'info' | 'warn' | 'error';
  args: string[];
  /** How often the same line was repeated, when more than once. */
  count?: number;
  truncated?: boolean;
}

export interface ClickSignal extends Timed {
  k: 'click';
  id: string;
  /** CSS pixels in the viewport. */
  x: number;
  y: number;
  selector: string;
  text?: string;
  button?: number;
}

export interface InputSignal extends Timed {
  k: 'input';
  selector: string;
  /** The field's label; never a value. */
  label?: string;
}

export interface RageClickSignal extends Timed {
  k: 'rage_click';
  selector: string;
  text?: string;
  count: number;
  x: number;
  y: number;
  click: string;
}

export interface DeadClickSignal extends Timed {
  k: 'dead_click';
  selector: string;
  text?: string;
  x: number;
  y: number;
  click: string;
}

export interface VitalSignal extends Timed {
  k: 'vital';
  name: 'LCP' | 'INP' | 'CLS' | 'FCP' | 'TTFB';
  value: number;
  rating: 'good' | 'needs-improvement' | 'poor';
  url: string;
}

export interface LongTaskSignal extends Timed {
  k: 'long_task';
  duration_ms: number;
}

export interface VisibilitySignal extends Timed {
  k: 'visibility';
  state: 'visible' | 'hidden';
}

export interface CustomSignal extends Timed {
  k: 'custom';
  name: string;
  properties?: Record<string, unknown>;
}

export interface IdentifySignal extends Timed {
  k: 'identify';
  id?: string;
  email?: string;
  traits?: Record<string, unknown>;
}

export type GapReason = 'offline' | 'buffer_full' | 'unload' | 'rejected' | 'too_large' | 'degraded';

/** Says that something between `from` and `to` was recorded but will never arrive. */
export interface GapSignal extends Timed {
  k: 'gap';
  from: number;
  to: number;
  reason: GapReason;
  /** Raw bytes that were dropped. */
  bytes?: number;
  frame: 'dom' | 'signals' | 'both';
}

export interface DegradedSignal extends Timed {
  k: 'degraded';
  reason: 'mutation_storm' | 'recorder_failed' | 'storage_blocked' | 'worker_blocked';
  detail?: string;
}

export interface EndSignal extends Timed {
  k: 'end';
  reason: 'stop' | 'idle' | 'max_length';
}

export type Signal =
  | PageSignal
  | NavigationSignal
  | ErrorSignal
  | RequestSignal
  | WebSocketSignal
  | ConsoleSignal
  | ClickSignal
  | InputSignal
  | RageClickSignal
  | DeadClickSignal
  | VitalSignal
  | LongTaskSignal
  | VisibilitySignal
  | CustomSignal
  | IdentifySignal
  | GapSignal
  | DegradedSignal
  | EndSignal;
