/** Spans of the session's backend, and where they are in the request that led to them. */
import type { SessionEvent } from '../../api/model';
import { type Moment, number, text } from '../moments';
import { asRecord } from './timing';

export interface BackendSpan {
  trace: string;
  id: string;
  parent: string | null;
  name: string;
  service: string;
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
    role: text(data['role']) ?? '',
    failed: data['status'] === 'error',
    message: text(data['status_message']) ?? '',
    start: time,
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

export interface PlacedSpan {
  span: BackendSpan;
  depth: number;
  /** Milliseconds after the request's start. */
  from: number;
}

export interface Backend {
  spans: PlacedSpan[];
  /** How long the server worked on the request: its own span; null when what came has none. */
  durationMs: number | null;
  /** How far the clocks of browser and backend are apart at least, where spans had to be moved to be inside of what led to them. */
  skewMs: number;
  /** Spans that are not shown. */
  more: number;
}

const MOST_SPANS = 200;
/** Times are told in milliseconds with fractions; less than this is no difference. */
const TOLERANCE_MS = 1;

/** What the backend did for a request; null when nothing of it is known. */
export function backendOf({ time, data }: Pick<Moment, 'time' | 'data'>, traces: SpansByTrace): Backend | null {
  const spans = traces.get(text(data['trace_id']) ?? '') ?? [];
  const own = text(data['span_id']);
  const roots = rootsOf(spans, own);
  if (roots.length === 0) return null;
  const children = new Map<string, BackendSpan[]>();
  for (const span of spans) {
    if (span.parent !== null) children.set(span.parent, [...(children.get(span.parent) ?? []), span]);
  }
  const request = { from: 0, duration: number(data['duration_ms']), service: null };
  const placer = new Placer(time, children);
  for (const root of roots) placer.place(root, request, 0, 0);
  // After a redirect there are several: the others handed over at once.
  const server = roots
    .filter(({ role }) => role === 'server')
    .reduce<BackendSpan | null>((long, span) => (long && long.duration >= span.duration ? long : span), null);
  return {
    spans: placer.placed,
    durationMs: server?.duration ?? null,
    skewMs: placer.skewMs,
    more: placer.more,
  };
}

/**
 * Children of the request. Where it is not known by which span it went out, or something between told nothing (a proxy): those without a
 * parent among the spans.
 */
function rootsOf(spans: readonly BackendSpan[], own: string | null): BackendSpan[] {
  const direct = own === null ? [] : spans.filter(({ parent }) => parent === own);
  const ids = new Set(spans.map(({ id }) => id));
  const roots = direct.length > 0 ? direct : spans.filter(({ parent }) => parent === null || !ids.has(parent));
  return roots.toSorted((one, other) => one.start - other.start);
}

interface Parent {
  from: number;
  /** Null while it is not known. */
  duration: number | null;
  /** Null for the browser. */
  service: string | null;
}

/** Puts spans into the time of what led to them. Clocks of one service agree; those of two may not. */
class Placer {
  readonly placed: PlacedSpan[] = [];
  skewMs = 0;
  more = 0;
  private readonly seen = new Set<string>();

  constructor(
    private readonly start: number,
    private readonly children: ReadonlyMap<string, readonly BackendSpan[]>,
  ) {}

  place(span: BackendSpan, parent: Parent, shift: number, depth: number): void {
    // Parents may form a ring in what hostile or broken backends send.
    if (this.seen.has(span.id)) return;
    this.seen.add(span.id);
    const told = span.start - this.start + shift;
    const from = parent.service === span.service ? told : inside(told, span.duration, parent);
    const moved = from - told;
    this.skewMs = Math.max(this.skewMs, Math.abs(moved + shift));
    if (this.placed.length < MOST_SPANS) this.placed.push({ span, depth, from });
    else this.more += 1;
    const next = { from, duration: span.duration, service: span.service };
    const children = (this.children.get(span.id) ?? []).toSorted((one, other) => one.start - other.start);
    // Deeper ones would not fit on any screen.
    if (depth < MOST_SPANS) for (const child of children) this.place(child, next, shift + moved, depth + 1);
  }
}

/** Where it is said to begin, if that is inside; else in the middle, as the way there and back is as long each, as far as is known. */
function inside(told: number, length: number, { from, duration }: Parent): number {
  const end = duration === null ? Infinity : from + duration;
  if (told >= from - TOLERANCE_MS && told + length <= end + TOLERANCE_MS) return told;
  return duration === null ? from : from + Math.max(0, (duration - length) / 2);
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
