/** Spans of the session's backend, and where they are in the request that led to them. */
import type { SessionEvent } from '../../api/model';
import { formatDuration } from '../../format/duration';
import { formatCount } from '../../format/number';
import { type Moment, number, text } from '../moments';
import { MOST_SPANS } from '../load-spans';
import { place, type Placed } from './placing';
import { asRecord, serverTime } from './timing';

export interface BackendSpan {
  trace: string;
  id: string;
  parent: string | null;
  name: string;
  service: string;
  /** Which of the service's processes, where its backend says so. */
  instance: string;
  /** `server`, `client`, `internal`, `producer`, `consumer`. */
  role: string;
  failed: boolean;
  message: string;
  /** Milliseconds of the Unix epoch by the backend's clock. */
  start: number;
  duration: number;
  attributes: Record<string, unknown>;
}

export function toSpan({ kind, time, data }: SessionEvent): BackendSpan | null {
  const [trace, id, duration] = [text(data['trace_id']), text(data['span_id']), number(data['duration_ms'])];
  if (kind !== 'span' || trace === null || id === null || duration === null) return null;
  return {
    trace,
    id,
    parent: text(data['parent_id']),
    name: text(data['name']) ?? '',
    service: text(data['service']) ?? '',
    instance: text(data['instance']) ?? '',
    role: text(data['role']) ?? '',
    failed: data['status'] === 'error',
    message: text(data['status_message']) ?? '',
    // As the backend told it; the event's time has its place among all others.
    start: number(data['start_ms']) ?? time,
    duration,
    attributes: asRecord(data['attributes']),
  };
}

export type SpansByTrace = ReadonlyMap<string, readonly BackendSpan[]>;

/** By trace, each once: an export that was sent again brings the same spans. */
export function byTrace(events: readonly SessionEvent[]): SpansByTrace {
  const traces = new Map<string, Map<string, BackendSpan>>();
  for (const span of events.map(toSpan)) {
    if (span === null) continue;
    const known = traces.get(span.trace);
    if (known) known.set(span.id, span);
    else traces.set(span.trace, new Map([[span.id, span]]));
  }
  return new Map([...traces].map(([trace, spans]) => [trace, [...spans.values()]]));
}

/** How many requests went out as the parent of spans. A page that sets `traceparent` itself may send several with the same. */
export type RequestsBySpan = ReadonlyMap<string, number>;

export function requestsBySpan(moments: readonly Pick<Moment, 'kind' | 'data'>[]): RequestsBySpan {
  const requests = new Map<string, number>();
  for (const { kind, data } of moments) {
    const [trace, span] = [text(data['trace_id']), text(data['span_id'])];
    if (kind !== 'request' || trace === null || span === null) continue;
    requests.set(`${trace} ${span}`, (requests.get(`${trace} ${span}`) ?? 0) + 1);
  }
  return requests;
}

/** Whether it is one request's, and no other's, that spans with this parent are. */
const isOfOne = (requests: RequestsBySpan, trace: string, parent: string | null) =>
  parent !== null && requests.get(`${trace} ${parent}`) === 1;

export interface Backend extends Placed {
  /** How long the server worked on the request: its own span; null when what came has none. */
  durationMs: number | null;
}

type Request = Pick<Moment, 'time' | 'data'>;

/** What the backend did for a request: spans that go back to the request's own. Null when there are none. */
export function backendOf({ time, data }: Request, traces: SpansByTrace, requests: RequestsBySpan): Backend | null {
  const [trace, own] = [text(data['trace_id']) ?? '', text(data['span_id'])];
  const spans = traces.get(trace) ?? [];
  if (!isOfOne(requests, trace, own)) return null;
  const roots = spans.filter(({ parent }) => parent === own);
  if (roots.length === 0) return null;
  // After a redirect there are several: the others handed over at once.
  const server = roots
    .filter(({ role }) => role === 'server')
    .reduce<BackendSpan | null>((long, span) => (long && long.duration >= span.duration ? long : span), null);
  const request = { start: time, duration: number(data['duration_ms']) };
  return { ...place(roots, spans, request), durationMs: server?.duration ?? null };
}

/**
 * Spans of a request's trace that are no known request's: something between told nothing, or several requests were sent as one. To which
 * they belong cannot be told; here are those that the others hang on.
 */
export function straysOf({ data }: Request, traces: SpansByTrace, requests: RequestsBySpan): BackendSpan[] {
  const trace = text(data['trace_id']) ?? '';
  const spans = traces.get(trace) ?? [];
  const ids = new Set(spans.map(({ id }) => id));
  const strays = spans.filter(
    ({ parent }) => parent === null || (!ids.has(parent) && !isOfOne(requests, trace, parent)),
  );
  return strays.toSorted((one, other) => one.start - other.start);
}

/** What is known of the backend's part without any span. */
export function withoutSpans(data: Record<string, unknown>, areAll: boolean): string {
  const server = serverTime(data);
  const told =
    server === null
      ? 'What the backend did is not known'
      : `Server-Timing says that the backend took ${formatDuration(server)}; on what is not known`;
  if (!areAll) return `${told}: this request’s spans are not among the first ${formatCount(MOST_SPANS)} of its trace.`;
  return `${told}: no spans of this request have come.`;
}

const ASKED = ['http.request.method', 'http.method', 'rpc.method', 'db.operation.name', 'db.operation'];
const OF = ['http.route', 'url.path', 'http.target', 'url.full', 'http.url', 'rpc.service'];
const DATABASE = ['db.system.name', 'db.system'];
const STATEMENT = ['db.query.text', 'db.statement', 'db.query.summary', 'db.collection.name', 'db.sql.table'];
const ANSWERED = ['http.response.status_code', 'http.status_code', 'rpc.grpc.status_code', 'error.type'];
const MESSAGING = ['messaging.system', 'messaging.destination.name'];

/** What a span's attributes say, in one line. */
export function shortly({ attributes }: BackendSpan): string {
  const first = (names: readonly string[]): string[] => {
    const found = names.map((name) => attributes[name]).find((value) => value !== undefined && value !== null);
    return typeof found === 'string' || typeof found === 'number' ? [String(found)] : [];
  };
  const isDatabase = first(DATABASE).length > 0;
  const asked = isDatabase && first(STATEMENT).length > 0 ? [] : first(ASKED);
  const messaging = MESSAGING.flatMap((name) => first([name]));
  return [...first(DATABASE), ...messaging, ...asked, ...first(isDatabase ? STATEMENT : OF), ...first(ANSWERED)].join(
    ' ',
  );
}
