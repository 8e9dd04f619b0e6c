import { listen } from '../../guard.js';
import { randomHex } from '../../random.js';
import type { RequestSignal } from '../../signal.js';
import { noteActivity } from '../activity.js';
import { createBudget } from '../budget.js';
import type { CaptureContext } from '../context.js';
import { known, roundMs } from '../known.js';
import { observeEntries } from '../observe.js';
import { Frames } from './frames.js';
import { isDetailed, phasesOf, serverTimingOf, TimingMatcher, traceOf, type Started } from './timing.js';

const REQUESTS_PER_SECOND = 100;
const MAX_FLIGHTS = 500;
/** How long an answered request waits for the browser's own account of it. */
const TIMING_WAIT_MS = 2000;
/** A request so soon after a click is taken to be its doing. */
const CLICK_MS = 500;

/** A request under way. Fields are filled in as they become known. */
export interface Flight extends Started {
  signal: RequestSignal;
  /** When its outcome was known, by the performance clock. */
  settledAt?: number;
  /** Work still to be done before it may be told, such as reading a body. */
  pending: Promise<unknown>[];
  /** A request that outlives its document has no outcome that can be known here. */
  outlives?: boolean;
  stopFrames?: () => void;
  timer?: ReturnType<typeof setTimeout>;
}

function addressOf(url: string): URL | undefined {
  try {
    const parsed = new URL(url, document.baseURI);
    return /^https?:$/.test(parsed.protocol) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function headersOf(context: CaptureContext, get: (name: string) => string | null): Record<string, string> | undefined {
  const names = context.options.networkHeaders ?? [];
  const found: [string, string][] = [];
  for (const name of names.slice(0, 50)) {
    const value = get(name);
    if (value !== null) found.push([name, value.slice(0, 1000)]);
  }
  const kept = found.length ? context.privacy.redactHeaders(found) : {};
  return Object.keys(kept).length ? kept : undefined;
}

/** Keeps the requests under way and tells each once: when it is over and the browser's timing has come, or the page goes. */
export class Flights {
  private readonly flights = new Set<Flight>();
  private readonly matcher = new TimingMatcher();
  private readonly frames: Frames;
  private readonly budget;
  private readonly undos: (() => void)[];

  constructor(readonly context: CaptureContext) {
    this.frames = new Frames(context);
    this.budget = createBudget(context, REQUESTS_PER_SECOND);
    this.undos = [
      observeEntries(context, 'resource', (entry) => this.takeEntry(entry as PerformanceResourceTiming)),
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
    this.matcher.addRequest(flight);
    if (this.flights.size < MAX_FLIGHTS) this.flights.add(flight);
    return flight;
  }

  noteRequestHeaders(flight: Flight, get: (name: string) => string | null): void {
    const headers = headersOf(this.context, get);
    if (headers) flight.signal.request_headers = headers;
    const trace = traceOf(get('traceparent'));
    if (trace) flight.signal.trace_id = trace;
  }

  noteResponseHeaders(flight: Flight, get: (name: string) => string | null): void {
    const headers = headersOf(this.context, get);
    if (headers) flight.signal.response_headers = headers;
  }

  /** The outcome is known. A status below 400 is `ok`. */
  settle(flight: Flight, outcome: RequestSignal['outcome'], status?: number): void {
    if (flight.settledAt !== undefined) return;
    const { signal } = flight;
    flight.settledAt = performance.now();
    signal.outcome = outcome;
    if (status) signal.status = status;
    signal.duration_ms = roundMs(flight.settledAt - flight.startedAt);
    flight.stopFrames = this.frames.watch();
    flight.timer = setTimeout(
      this.context.guard(() => this.whenRead(flight)),
      TIMING_WAIT_MS,
    );
    if (this.matcher.match(flight)) this.tellSoon(flight);
  }

  stop(): void {
    for (const undo of this.undos) undo();
    this.tellAll(false);
    this.budget.close();
  }

  private takeEntry(entry: PerformanceResourceTiming): void {
    this.matcher.addEntry(entry);
    const name = entry.name.split('#', 1)[0];
    for (const flight of this.flights) {
      if (flight.address === name && flight.settledAt !== undefined && this.matcher.match(flight)) {
        this.tellSoon(flight);
      }
    }
  }

  /** The frame that shows the answer is yet to come. */
  private tellSoon(flight: Flight): void {
    clearTimeout(flight.timer);
    flight.timer = setTimeout(
      this.context.guard(() => this.whenRead(flight)),
      100,
    );
  }

  private whenRead(flight: Flight): void {
    if (!flight.pending.length) return this.tell(flight);
    void Promise.allSettled(flight.pending).then(this.context.guard(() => this.tell(flight)));
  }

  private tell(flight: Flight): void {
    clearTimeout(flight.timer);
    flight.stopFrames?.();
    if (!this.flights.delete(flight) || !this.budget.take()) return;
    const entry = this.matcher.match(flight);
    if (entry) this.addTiming(flight, entry);
    this.context.emit(flight.signal);
  }

  private addTiming(flight: Flight, entry: PerformanceResourceTiming): void {
    const { signal } = flight;
    const answered = signal.outcome === 'ok' || signal.outcome === 'http_error';
    const clean = (text: string): string => this.context.privacy.redactText(text);
    if (!answered || entry.responseEnd <= 0) return;
    signal.duration_ms = roundMs(entry.responseEnd - entry.startTime);
    const painted = this.frames.paintedAfter(entry.responseEnd);
    const phases = phasesOf(entry);
    const server = serverTimingOf(entry, clean);
    if (phases) signal.timing = phases;
    if (server) signal.server_timing = server;
    if (painted !== undefined) signal.frontend_ms = roundMs(painted - entry.responseEnd);
    if (entry.encodedBodySize > 0) signal.response_bytes = entry.encodedBodySize;
    else if (isDetailed(entry)) signal.response_bytes ??= 0;
    const trace = traceOf(server?.find(({ name }) => name === 'traceparent')?.description);
    if (trace) signal.trace_id ??= trace;
  }

  private onVisibility(): void {
    if (document.visibilityState !== 'hidden') return;
    this.frames.forget();
    this.tellAll(false);
  }

  /** `leaving`: the document goes, and what is still open is broken off with it. */
  private tellAll(leaving: boolean): void {
    for (const flight of [...this.flights]) {
      if (flight.settledAt !== undefined || (leaving && !flight.outlives)) this.tell(flight);
    }
  }
}
