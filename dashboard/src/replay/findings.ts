/** What is wrong with requests, by themselves and among the others of their page. */
import { formatDuration } from '../format/duration';
import { isFailed, type Moment, number, text } from './moments';

export type FindingKind = 'failed' | 'timeout' | 'cancelled' | 'slow' | 'n_plus_one' | 'retries';

export interface Finding {
  kind: FindingKind;
  /** A word or two, for a row. */
  label: string;
  /** In a sentence without its end. */
  words: string;
  /** Requests that belong to it, this one among them; empty where it is about this one alone. */
  requests: readonly string[];
}

/** How long an endpoint took before: its p95, and of how many requests. */
export interface History {
  p95_ms: number;
  requests: number;
}

/** An endpoint is known by so many requests at least. */
const KNOWN_BY = 50;
/** Slow against its own history: so many times its p95, and so much more. One in twenty is above the p95 itself. */
const SLOW_TIMES = 1.5;
const SLOW_MORE_MS = 100;

/** Requests of one endpoint from one page, each soon after the one before: one for each item of a list. */
const BURST_COUNT = 8;
const BURST_GAP_MS = 300;
/** Tries of the same request, each after a failure. */
const STORM_COUNT = 4;
const STORM_GAP_MS = 60_000;

/** What each request that something is wrong with has, by its id. */
export function findingsOf(
  moments: readonly Moment[],
  history: ReadonlyMap<string, History>,
): Map<string, readonly Finding[]> {
  const requests = moments.filter(({ kind }) => kind === 'request');
  const all = new Map<string, Finding[]>();
  const add = (id: string, finding: Finding) => {
    const known = all.get(id);
    if (known) known.push(finding);
    else all.set(id, [finding]);
  };
  for (const request of requests) {
    for (const finding of [ended(request), slow(request, history)]) if (finding) add(request.id, finding);
  }
  for (const group of [...bursts(requests), ...storms(requests)]) {
    for (const id of group.requests) add(id, group);
  }
  return all;
}

/** What statistics call its endpoint. A recording from before that was told has only its address. */
export const endpointOf = ({ data }: Moment): string =>
  text(data['endpoint']) ?? `${text(data['method']) ?? 'GET'} ${(text(data['url']) ?? '').split(/[?#]/)[0] ?? ''}`;

function ended({ data }: Moment): Finding | null {
  const duration = number(data['duration_ms']);
  const after = duration === null ? '' : ` after ${formatDuration(duration)}`;
  const alone = { requests: [] };
  switch (text(data['outcome'])) {
    case 'timeout':
      return { ...alone, kind: 'timeout', label: 'timed out', words: `timed out${after}` };
    case 'aborted':
      // Without an end nobody knows whether it was broken off.
      if (duration === null) return null;
      return { ...alone, kind: 'cancelled', label: 'cancelled', words: `cancelled by the page${after}` };
    case 'network_error':
      return { ...alone, kind: 'failed', label: 'failed', words: `no answer: the network failed${after}` };
    default: {
      if (!isFailed(data)) return null;
      const status = number(data['status']);
      const words = status === null ? `failed${after}` : `answered with ${String(status)}${after}`;
      return { ...alone, kind: 'failed', label: 'failed', words };
    }
  }
}

function slow(request: Moment, history: ReadonlyMap<string, History>): Finding | null {
  const duration = number(request.data['duration_ms']);
  const known = history.get(endpointOf(request));
  if (duration === null || !known || known.requests < KNOWN_BY || text(request.data['outcome']) === 'aborted') {
    return null;
  }
  const { p95_ms } = known;
  if (duration < p95_ms * SLOW_TIMES || duration < p95_ms + SLOW_MORE_MS) return null;
  const words = `${formatDuration(duration)}, and the p95 of its endpoint over the seven days before is ${formatDuration(p95_ms)}`;
  return { kind: 'slow', label: 'slow', words, requests: [] };
}

/** Requests of a page to an endpoint that follow each other closely. Different ones: the same one again is no list. */
function bursts(requests: readonly Moment[]): Finding[] {
  const found: Finding[] = [];
  for (const group of groupsBy(requests, (one) => `${one.stream} ${endpointOf(one)}`)) {
    for (const run of runsOf(group, (before, next) => next.at - before.at <= BURST_GAP_MS)) {
      const [first, last] = [run[0], run.at(-1)];
      if (!first || !last || run.length < BURST_COUNT) continue;
      const addresses = new Set(run.map(({ data }) => text(data['url'])));
      if (addresses.size < BURST_COUNT) continue;
      const count = String(run.length);
      const words = `one of ${count} requests of ${endpointOf(first)} within ${formatDuration(last.at - first.at)}: one for each item of a list (N+1)`;
      found.push({ kind: 'n_plus_one', label: `N+1 ×${count}`, words, requests: run.map(({ id }) => id) });
    }
  }
  return found;
}

/** The same request again and again, each after the one before failed. */
function storms(requests: readonly Moment[]): Finding[] {
  const found: Finding[] = [];
  const same = (one: Moment) =>
    `${one.stream} ${text(one.data['method']) ?? 'GET'} ${text(one.data['operation']) ?? ''} ${text(one.data['url']) ?? ''}`;
  for (const group of groupsBy(requests, same)) {
    // What began before the one before had failed is no answer to that.
    const follows = (before: Moment, next: Moment) =>
      isFailed(before.data) &&
      next.at >= before.at + (number(before.data['duration_ms']) ?? 0) &&
      next.at - before.at <= STORM_GAP_MS;
    for (const run of runsOf(group, follows)) {
      const [first, last] = [run[0], run.at(-1)];
      if (!first || !last || run.length < STORM_COUNT) continue;
      const count = String(run.length);
      const end = isFailed(last.data) ? 'the last failed too' : 'the last one went through';
      const words = `one of ${count} tries within ${formatDuration(last.at - first.at)}, each after a failure; ${end}`;
      found.push({ kind: 'retries', label: `retries ×${count}`, words, requests: run.map(({ id }) => id) });
    }
  }
  return found;
}

function groupsBy(requests: readonly Moment[], keyOf: (request: Moment) => string): Iterable<Moment[]> {
  const groups = new Map<string, Moment[]>();
  for (const request of requests) {
    const key = keyOf(request);
    const group = groups.get(key);
    if (group) group.push(request);
    else groups.set(key, [request]);
  }
  return groups.values();
}

/** Requests in order of time, cut where one does not follow the one before. */
function runsOf(group: readonly Moment[], follows: (before: Moment, next: Moment) => boolean): Moment[][] {
  const runs: Moment[][] = [];
  for (const request of group) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run && before && follows(before, request)) run.push(request);
    else runs.push([request]);
  }
  return runs;
}

/** The moments with what was found; what is wrong is at least a warning, and so has its place on the time line. */
export function withFindings(moments: readonly Moment[], history: ReadonlyMap<string, History>): readonly Moment[] {
  const all = findingsOf(moments, history);
  if (all.size === 0) return moments;
  return moments.map((moment) => {
    const findings = all.get(moment.id);
    if (!findings) return moment;
    return { ...moment, findings, tone: moment.tone === 'neutral' ? 'warn' : moment.tone };
  });
}
