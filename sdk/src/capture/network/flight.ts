import { listen } from '../../guard.js';
import { randomHex } from '../../random.js';
import type { RequestSignal } from '../../signal.js';
import { createBudget } from '../budget.js';
import type { CaptureContext } from '../context.js';
import { known, roundMs } from '../known.js';
import { noteActivity } from '../shared.js';
import { traceOf } from './trace.js';

const REQUESTS_PER_SECOND = 100;
const MAX_FLIGHTS = 500;
const MAX_STARTED = 300;
const MAX_HEADERS = 50;
const MAX_HEADER = 1000;
/** How long an answered request waits for the browser's own account of it. */
const ACCOUNT_WAIT_MS = 2000;
/** A timer that comes so much later than due was held up by the page. */
const LATE_MS = 200;
/** A request so soon after a click is taken to be its doing. */
const CLICK_MS = 500;

/** What is needed to find a request again; times by the performance clock. */
export interface Started {
  /** Absolute, without a fragment. */
  address: string;
  startedAt: number;
  /** When the call that starts it came back. */
  issuedAt?: number;
}

/** A request under way. Fields are filled in as they become known. */
export interface Flight extends Started {
  signal: RequestSignal;
  isSettled?: boolean;
  /** Work still to be done before it may be told, such as reading a body. */
  pending: Promise<unknown>[];
  /** A request that outlives its document has no outcome that can be known here. */
  outlives?: boolean;
  /** What the browser's `fetch` gets in place of the page's own `init`. */
  init?: RequestInit;
  /** Called when it is told. */
  release?: () => void;
  timer?: ReturnType<typeof setTimeout>;
  /** Whether that timer has come late once. */
  wasLate?: boolean;
}

/** The browser's own account of requests, once the chunk that reads it is there. */
export interface Account {
  settled(flight: Flight): void;
  /** Adds what is known beyond doubt. */
  complete(flight: Flight): void;
  /** The page was hidden or shown again. */
  visibilityChanged(): void;
}

type GetHeader = (name: string) => string | null;

function addressOf(url: string): URL | undefined {
  try {
    const parsed = new URL(url, document.baseURI);
    return /^https?:$/.test(parsed.protocol) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the requests under way and tells each once: when it is over and the browser's account has come, or the page goes. */
export class Flights {
  /** Requests of late, oldest first. */
  readonly started: Started[] = [];
  account: Account | undefined;
  private readonly flights = new Set<Flight>();
  private readonly budget;
  private readonly undos: (() => void)[];

  constructor(readonly context: CaptureContext) {
    this.budget = createBudget(context, REQUESTS_PER_SECOND);
    this.undos = [
      listen(window, 'visibilitychange', () => this.onVisibility(), { capture: true }),
      listen(window, 'pagehide', () => this.tellAll(true), { capture: true }),
    ];
  }

  /** A request starts; undefined when it is not to be told: ours, or none that goes over the network. */
  start(api: RequestSignal['api'], method: string, url: string): Flight | undefined {
    const { context } = this;
    const parsed = addressOf(url);
    if (!parsed || parsed.href.startsWith(`${context.endpoint}/v1/`)) return undefined;
    const t = context.now();
    const click = context.lastClick();
    noteActivity(context);
    const signal = known<RequestSignal>({
      k: 'request',
      t,
      id: randomHex(8),
      api,
      method: method.toUpperCase().slice(0, 20),
      url: context.privacy.redactUrl(parsed.href),
      outcome: 'aborted',
      click: click && t - click.t <= CLICK_MS ? click.id : undefined,
    });
    const address = parsed.href.split('#', 1)[0] ?? '';
    const flight: Flight = { signal, address, startedAt: performance.now(), pending: [] };
    this.started.push(flight);
    if (this.started.length > MAX_STARTED) this.started.shift();
    if (this.flights.size < MAX_FLIGHTS) this.flights.add(flight);
    return flight;
  }

  /** The call that starts it came back: the browser's own account begins in between. */
  issued(flight: Flight): void {
    flight.issuedAt = performance.now();
  }

  noteHeaders(flight: Flight, side: 'request_headers' | 'response_headers', get: GetHeader): void {
    const { options, privacy } = this.context;
    const found: [string, string][] = [];
    for (const name of (options.networkHeaders ?? []).slice(0, MAX_HEADERS)) {
      const value = get(name);
      if (value !== null) found.push([name, value.slice(0, MAX_HEADER)]);
    }
    const kept = privacy.redactHeaders(found);
    if (Object.keys(kept).length) flight.signal[side] = kept;
    if (side === 'response_headers') return;
    const [trace, span] = traceOf(get('traceparent'));
    if (trace && span) Object.assign(flight.signal, { trace_id: trace, span_id: span });
  }

  /** The outcome is known. */
  settle(flight: Flight, outcome: RequestSignal['outcome'], status?: number): void {
    if (flight.isSettled) return;
    const { signal } = flight;
    flight.isSettled = true;
    signal.outcome = outcome;
    if (status) signal.status = status;
    if (signal.api !== 'beacon') signal.duration_ms = roundMs(performance.now() - flight.startedAt);
    this.tellIn(flight, ACCOUNT_WAIT_MS);
    this.account?.settled(flight);
  }

  /** An answer came. An opaque one hides its status: that something came is all there is to know. */
  answer(flight: Flight, status: number): void {
    this.settle(flight, status >= 400 ? 'http_error' : 'ok', status);
  }

  settledOnes(): Flight[] {
    return [...this.flights].filter((flight) => flight.isSettled);
  }

  tellIn(flight: Flight, ms: number): void {
    clearTimeout(flight.timer);
    const due = performance.now() + ms;
    const tell = (): void => {
      // A page that was busy all the while has kept the browser's account and the next frame waiting, too.
      const isLate = !flight.wasLate && performance.now() - due > LATE_MS;
      flight.wasLate = isLate;
      if (isLate) this.tellIn(flight, ms);
      else this.whenRead(flight);
    };
    flight.timer = setTimeout(this.context.guard(tell), ms);
  }

  stop(): void {
    for (const undo of this.undos) undo();
    this.tellAll(false);
    this.budget.close();
  }

  private whenRead(flight: Flight): void {
    const tell = this.context.guard(() => this.tell(flight));
    if (flight.pending.length) void Promise.allSettled(flight.pending).then(tell);
    else tell();
  }

  private tell(flight: Flight): void {
    clearTimeout(flight.timer);
    flight.release?.();
    if (!this.flights.delete(flight) || !this.budget.take()) return;
    this.account?.complete(flight);
    this.context.emit(flight.signal);
  }

  private onVisibility(): void {
    // First what is known so far; nothing may wait on a page that may never come back.
    if (document.visibilityState === 'hidden') this.tellAll(false);
    this.account?.visibilityChanged();
  }

  /** `leaving`: the document goes, and what is still open is broken off with it. */
  private tellAll(leaving: boolean): void {
    for (const flight of [...this.flights]) {
      if (flight.isSettled || (leaving && !flight.outlives)) this.tell(flight);
    }
  }
}
