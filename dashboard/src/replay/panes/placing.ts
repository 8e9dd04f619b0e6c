/** Spans in the time of the request that led to them: by their own clocks, as far as those can be right. */
import type { BackendSpan } from './spans';

export interface PlacedSpan {
  span: BackendSpan;
  depth: number;
  /** Milliseconds after the request's start. */
  from: number;
}

/** All that a service told by one clock is shown so much later (or earlier, below 0) than it said. */
export interface Shift {
  service: string;
  byMs: number;
}

export interface Placed {
  spans: PlacedSpan[];
  shifts: Shift[];
  /** Spans that are not shown. */
  more: number;
}

interface Request {
  /** Milliseconds of the Unix epoch, by the browser's clock. */
  start: number;
  /** Null while it is not known. */
  duration: number | null;
}

/** A span with what led to it; null: the request. */
interface Reached {
  span: BackendSpan;
  parent: BackendSpan | null;
}

type Children = ReadonlyMap<string, readonly BackendSpan[]>;

const MOST_SPANS = 200;
/** Times are told in milliseconds with fractions; less than this is no difference. */
const TOLERANCE_MS = 1;

/** `roots` and what hangs on them, as a tree in order of time. */
export function place(roots: readonly BackendSpan[], spans: readonly BackendSpan[], request: Request): Placed {
  const children = childrenOf(spans);
  const offsets = offsetsOf(reachedFrom(roots, children), request);
  const placed: PlacedSpan[] = [];
  const seen = new Set<string>();
  let more = 0;
  const add = (siblings: readonly BackendSpan[], depth: number): void => {
    for (const span of siblings.toSorted((one, other) => timeOf(one, offsets) - timeOf(other, offsets))) {
      if (seen.has(span.id)) continue;
      seen.add(span.id);
      if (placed.length < MOST_SPANS) placed.push({ span, depth, from: timeOf(span, offsets) - request.start });
      else more += 1;
      // Deeper ones would not fit on any screen.
      if (depth < MOST_SPANS) add(children.get(span.id) ?? [], depth + 1);
    }
  };
  add(roots, 0);
  return { spans: placed, shifts: shiftsOf(placed, offsets), more };
}

function childrenOf(spans: readonly BackendSpan[]): Children {
  const children = new Map<string, BackendSpan[]>();
  for (const span of spans) {
    if (span.parent === null) continue;
    const siblings = children.get(span.parent);
    if (siblings) siblings.push(span);
    else children.set(span.parent, [span]);
  }
  return children;
}

/** Parents first. Each once: parents may form a ring in what hostile or broken backends send. */
function reachedFrom(roots: readonly BackendSpan[], children: Children): Reached[] {
  const reached: Reached[] = roots.map((span) => ({ span, parent: null }));
  const seen = new Set(roots.map(({ id }) => id));
  // It grows on the way.
  for (const { span: parent } of reached) {
    for (const span of children.get(parent.id) ?? []) {
      if (!seen.has(span.id)) reached.push({ span, parent });
      seen.add(span.id);
    }
  }
  return reached;
}

/** What one process tells is of one clock; clocks of two may disagree. */
const clockOf = ({ service, instance }: BackendSpan) => `${service}\n${instance}`;

const timeOf = (span: BackendSpan, offsets: ReadonlyMap<string, number>) =>
  span.start + (offsets.get(clockOf(span)) ?? 0);

/**
 * What is to be added to each clock's times: one number for all that it told of the request, so that lengths and distances stay. 0 where
 * what came in from other clocks can have been when it says.
 */
function offsetsOf(reached: readonly Reached[], request: Request): Map<string, number> {
  const entries = new Map<string, Reached[]>();
  for (const each of reached) {
    const clock = clockOf(each.span);
    if (each.parent !== null && clockOf(each.parent) === clock) continue;
    const others = entries.get(clock);
    if (others) others.push(each);
    else entries.set(clock, [each]);
  }
  const offsets = new Map<string, number>();
  // In the order in which they were come upon: of what led to the first entry the clock is known.
  for (const [clock, all] of entries) {
    const known = all.filter(({ parent }) => parent === null || offsets.has(clockOf(parent)));
    offsets.set(clock, offsetWithin(known.map((each) => roomOf(each, request, offsets))));
  }
  return offsets;
}

/** Offsets from the least to the greatest that are possible. */
type Room = readonly [least: number, greatest: number];

/** Work that is not waited for: it may begin long after what led to it is over. */
const NOT_WAITED_FOR = ['consumer', 'producer', 'internal'];

/** Nothing begins before what led to it. What is answered lies inside of who waits for it, or begins there if it goes on afterwards. */
function roomOf({ span, parent }: Reached, request: Request, offsets: ReadonlyMap<string, number>): Room {
  const duration = parent === null ? request.duration : parent.duration;
  const least = (parent === null ? request.start : timeOf(parent, offsets)) - span.start;
  if (duration === null || NOT_WAITED_FOR.includes(span.role)) return [least, Infinity];
  return [least, least + (span.duration <= duration ? duration - span.duration : duration)];
}

function offsetWithin(rooms: readonly Room[]): number {
  let [least, greatest] = [-Infinity, Infinity];
  for (const [from, to] of rooms.toSorted((one, other) => one[1] - one[0] - (other[1] - other[0]) || 0)) {
    // One that contradicts those before is not believed.
    if (from > greatest || to < least) continue;
    [least, greatest] = [Math.max(least, from), Math.min(greatest, to)];
  }
  if (least <= TOLERANCE_MS && greatest >= -TOLERANCE_MS) return 0;
  // In the middle, as the way there and back is as long each, as far as is known.
  return greatest === Infinity ? least : (least + greatest) / 2;
}

function shiftsOf(placed: readonly PlacedSpan[], offsets: ReadonlyMap<string, number>): Shift[] {
  const services = new Map(placed.map(({ span }) => [clockOf(span), span.service]));
  const all = [...services].map(([clock, service]) => ({ service, byMs: offsets.get(clock) ?? 0 }));
  return all.filter(({ byMs }) => byMs !== 0);
}

/** Later work would make the request itself too short to see. */
const LONGEST_SCALE = 4;

/** The request and what began while it was fresh in mind; work of later only says when it began. */
export function scaleOf(whole: number, spans: readonly PlacedSpan[]): number {
  const most = Math.max(whole, 1) * LONGEST_SCALE;
  const ends = spans.map(({ span, from }) => from + span.duration).filter((end) => end <= most);
  const isLonger = spans.some(({ span, from }) => from < most && from + span.duration > most);
  return Math.max(whole, 1, ...ends, isLonger ? most : 0);
}
