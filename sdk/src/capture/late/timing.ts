import type { RequestTiming, ServerTiming } from '../../signal.js';
import { known, roundMs } from '../known.js';
import type { Started } from '../network/flight.js';

/**
 * The browser's entry begins within the call that starts the request, however long that takes: the page's own wrappers are part
 * of it, and a busy machine. Clocks are rounded to 2 ms at worst, and some browsers start a little after the call.
 */
const START_SLACK_MS = 2;
const START_WINDOW_MS = 30;
const MAX_ENTRIES = 300;
const MAX_SERVER_TIMINGS = 20;

function isWithin(time: number, request: Started): boolean {
  const { startedAt, issuedAt = startedAt } = request;
  return time >= startedAt - START_SLACK_MS && time <= issuedAt + START_WINDOW_MS;
}

/**
 * Finds a request's entry among those of the resource observer. Address and start are all there is to go by, so a match counts
 * only if it is the only one both ways; anything else is unknown.
 */
export class TimingMatcher {
  private entries: PerformanceResourceTiming[] = [];

  /** `started` holds all requests of late, answered ones too; it grows elsewhere. */
  constructor(private readonly started: readonly Started[]) {}

  addEntry(entry: PerformanceResourceTiming): void {
    if (!/^(fetch|xmlhttprequest|beacon)$/.test(entry.initiatorType)) return;
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
  }

  match(request: Started): PerformanceResourceTiming | undefined {
    const isOurs = (entry: PerformanceEntry): boolean => entry.name.split('#', 1)[0] === request.address;
    const fitting = this.entries.filter((entry) => isOurs(entry) && isWithin(entry.startTime, request));
    const [entry] = fitting;
    if (!entry || fitting.length > 1) return undefined;
    const rivals = this.started.filter(
      (other) => other.address === request.address && isWithin(entry.startTime, other),
    );
    return rivals.length === 1 ? entry : undefined;
  }
}

/** Without `Timing-Allow-Origin` the browser zeroes everything between start and end. */
export function isDetailed(entry: PerformanceResourceTiming): boolean {
  return entry.requestStart > 0 && entry.responseStart > 0;
}

/** The phases of a request. How long sending took is not told by any browser. */
export function phasesOf(entry: PerformanceResourceTiming): RequestTiming | undefined {
  if (!isDetailed(entry)) return undefined;
  const { domainLookupStart, domainLookupEnd, connectStart, connectEnd, secureConnectionStart } = entry;
  const { requestStart, responseStart, responseEnd, startTime, fetchStart } = entry;
  const reused = connectEnd <= connectStart && domainLookupEnd <= domainLookupStart;
  const isSecure = secureConnectionStart > 0;
  const phase = (from: number, to: number): number => roundMs(Math.max(0, to - from));
  return known<RequestTiming>({
    queued_ms: phase(startTime, reused ? requestStart : domainLookupStart || fetchStart),
    dns_ms: phase(domainLookupStart, domainLookupEnd),
    connect_ms: phase(connectStart, isSecure && !reused ? secureConnectionStart : connectEnd),
    tls_ms: isSecure ? phase(reused ? connectEnd : secureConnectionStart, connectEnd) : undefined,
    wait_ms: phase(requestStart, responseStart),
    download_ms: phase(responseStart, responseEnd),
  });
}

/** What the server said about its own work; a duration that it did not give is unknown, not 0. */
export function serverTimingOf(
  entry: PerformanceResourceTiming,
  clean: (text: string) => string,
): ServerTiming[] | undefined {
  const given = entry.serverTiming?.slice(0, MAX_SERVER_TIMINGS);
  if (!given?.length) return undefined;
  return given.map(({ name, duration, description }) =>
    known<ServerTiming>({
      name: clean(name.slice(0, 100)),
      duration_ms: duration > 0 ? roundMs(duration) : undefined,
      description: description ? clean(description.slice(0, 200)) : undefined,
    }),
  );
}
