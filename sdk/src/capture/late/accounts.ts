import { known, roundMs } from '../known.js';
import type { CaptureContext } from '../context.js';
import type { Account, Flight, Flights } from '../network/flight.js';
import { traceOf } from '../network/trace.js';
import { Frames } from './frames.js';
import { observeEntries } from './observe.js';
import { isDetailed, phasesOf, serverTimingOf, TimingMatcher } from './timing.js';
import type { RequestSignal } from '../../signal.js';

/** How long an answer waits for the frame that shows it. */
const FRAME_WAIT_MS = 1000;

/** The browser's own account of the page's requests: phases, sizes, what the server said, and the frame that followed. */
export class Accounts implements Account {
  private readonly matcher;
  private readonly frames;
  private readonly unobserve;
  /** When the page was last hidden or shown. */
  private changedAt = 0;

  constructor(
    private readonly context: CaptureContext,
    private readonly flights: Flights,
  ) {
    this.matcher = new TimingMatcher(flights.started);
    this.frames = new Frames(context, () => this.seeFrame());
    this.unobserve = observeEntries(context, 'resource', (entry) => this.take(entry as PerformanceResourceTiming));
    flights.account = this;
  }

  readonly stop = (): void => {
    this.unobserve();
    if (this.flights.account === this) this.flights.account = undefined;
  };

  settled(flight: Flight): void {
    flight.release = this.frames.watch();
    if (this.matcher.match(flight)) this.flights.tellIn(flight, FRAME_WAIT_MS);
  }

  private seeFrame(): void {
    for (const flight of this.flights.settledOnes()) {
      const entry = this.matcher.match(flight);
      if (entry && this.frames.paintedAfter(entry.responseEnd) !== undefined) this.flights.tellIn(flight, 0);
    }
  }

  visibilityChanged(): void {
    this.frames.forget();
    this.changedAt = performance.now();
  }

  complete({ signal, ...flight }: Flight): void {
    const entry = this.matcher.match(flight);
    const answered = signal.outcome === 'ok' || signal.outcome === 'http_error';
    if (!entry || !answered || entry.responseEnd <= 0) return;
    // A frame after the page was away tells when the user came back, not how long they waited.
    const wasThere = entry.responseEnd > this.changedAt;
    const painted = wasThere ? this.frames.paintedAfter(entry.responseEnd) : undefined;
    const server = serverTimingOf(entry, (text) => this.context.privacy.redactText(text));
    const [trace] = traceOf(server?.find(({ name }) => name === 'traceparent')?.description);
    const bytes = entry.encodedBodySize || signal.response_bytes || (isDetailed(entry) ? 0 : undefined);
    const found = known<Partial<RequestSignal>>({
      duration_ms: roundMs(entry.responseEnd - entry.startTime),
      timing: phasesOf(entry),
      server_timing: server,
      response_bytes: bytes,
      trace_id: signal.trace_id ?? trace,
      frontend_ms: painted === undefined ? undefined : roundMs(painted - entry.responseEnd),
    });
    Object.assign(signal, found);
  }

  private take(entry: PerformanceResourceTiming): void {
    this.matcher.addEntry(entry);
    const name = entry.name.split('#', 1)[0];
    for (const flight of this.flights.settledOnes()) {
      if (flight.address === name && this.matcher.match(flight)) this.flights.tellIn(flight, FRAME_WAIT_MS);
    }
  }
}
