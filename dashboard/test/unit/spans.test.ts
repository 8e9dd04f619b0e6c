import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../src/api/model';
import { loadSpans, MOST_SPANS } from '../../src/replay/load-spans';
import { scaleOf } from '../../src/replay/panes/placing';
import {
  backendOf,
  byTrace,
  requestsBySpan,
  shortly,
  straysOf,
  toSpan,
  withoutSpans,
} from '../../src/replay/panes/spans';
import { splitTime } from '../../src/replay/panes/timing';

const START = 1_767_225_600_000;
const TRACE = 'a'.repeat(32);
const REQUEST = 'r'.repeat(16);

const moment = (data: Record<string, unknown> = {}) => ({
  kind: 'request',
  time: START,
  data: { trace_id: TRACE, span_id: REQUEST, duration_ms: 100, ...data },
});

function span(id: string, parent: string | null, at: number, duration: number, more: Record<string, unknown> = {}) {
  const data = {
    trace_id: TRACE,
    span_id: id,
    parent_id: parent,
    name: id,
    duration_ms: duration,
    service: 'shop',
    ...more,
  };
  return { id, at_ms: at, time: START + at, stream: '', kind: 'span', data } as unknown as SessionEvent;
}

const backend = (events: SessionEvent[], request = moment(), others: (typeof request)[] = []) =>
  backendOf(request, byTrace(events), requestsBySpan([request, ...others]));

const placed = (...given: Parameters<typeof backend>) =>
  backend(...given)?.spans.map(({ span: { id }, depth, from }) => [id, depth, from]);

const strays = (events: SessionEvent[], request = moment(), others: (typeof request)[] = []) =>
  straysOf(request, byTrace(events), requestsBySpan([request, ...others])).map(({ id }) => id);

describe('spans of a request', () => {
  it('are a tree under the request, in order of time, each once', () => {
    const events = [
      span('db2', 'srv', 50, 10),
      span('srv', REQUEST, 20, 60, { role: 'server' }),
      span('db1', 'srv', 25, 10),
      span('db1', 'srv', 25, 10),
    ];
    expect(placed(events)).toEqual([
      ['srv', 0, 20],
      ['db1', 1, 25],
      ['db2', 1, 50],
    ]);
    const all = backend(events);
    expect([all?.durationMs, all?.shifts, all?.more]).toEqual([60, [], 0]);
  });

  it('of other requests of the same trace are not shown, and none is no zero', () => {
    const events = [span('srv', REQUEST, 20, 60), span('else', 'another request', 10, 5)];
    expect(placed(events)).toEqual([['srv', 0, 20]]);
    expect(placed([])).toBeUndefined();
    expect(placed(events, moment({ trace_id: 'b'.repeat(32) }))).toBeUndefined();
    expect(placed(events, moment({ trace_id: undefined }))).toBeUndefined();
    expect(backend(events)?.durationMs).toBeNull();
  });

  it('are at no request when their parent is none that is known: they are told apart', () => {
    const events = [span('srv', 'proxy', 20, 60), span('db', 'srv', 30, 10)];
    expect(placed(events)).toBeUndefined();
    expect(strays(events)).toEqual(['srv']);
    expect(strays([span('srv', null, 20, 60)])).toEqual(['srv']);
    const unknown = moment({ span_id: undefined });
    expect([placed(events, unknown), strays(events, unknown)]).toEqual([undefined, ['srv']]);
  });

  it('are at the request they go back to, not at another of its trace', () => {
    const other = moment({ span_id: 'o'.repeat(16) });
    const events = [span('srv', 'o'.repeat(16), 20, 60), span('db', 'srv', 30, 10)];
    expect(placed(events, moment(), [other])).toBeUndefined();
    expect(strays(events, moment(), [other])).toEqual([]);
    expect(placed(events, other, [moment()])).toEqual([
      ['srv', 0, 20],
      ['db', 1, 30],
    ]);
  });

  it('are at neither of two requests that the page sent as one', () => {
    const events = [span('srv', REQUEST, 20, 60)];
    expect(placed(events, moment(), [moment()])).toBeUndefined();
    expect(strays(events, moment(), [moment()])).toEqual(['srv']);
  });

  it('are moved into what led to them when clocks disagree: all of one clock alike, and that is said', () => {
    const events = [
      span('srv', REQUEST, -90_000, 60),
      span('db', 'srv', -89_990, 10),
      span('mail', 'srv', 5000, 20, { service: 'mailer' }),
      span('smtp', 'mail', 5005, 10, { service: 'mailer' }),
    ];
    expect(placed(events)).toEqual([
      ['srv', 0, 20],
      ['db', 1, 30],
      ['mail', 1, 40],
      ['smtp', 2, 45],
    ]);
    expect(backend(events)?.shifts).toEqual([
      { service: 'shop', byMs: 90_020 },
      { service: 'mailer', byMs: -4960 },
    ]);
  });

  it('of one clock keep their distances: one offset has room for all that came in', () => {
    const events = [
      span('srv', REQUEST, 0, 100),
      span('one', 'srv', 70_010, 10, { service: 'stock' }),
      span('two', 'srv', 70_080, 10, { service: 'stock' }),
    ];
    expect(placed(events)).toEqual([
      ['srv', 0, 0],
      ['one', 1, 10],
      ['two', 1, 80],
    ]);
    // Two processes of a service have two clocks.
    const two = [
      span('srv', REQUEST, 0, 100),
      span('one', 'srv', 70_010, 10, { service: 'stock', instance: 'a' }),
      span('two', 'srv', 80, 10, { service: 'stock', instance: 'b' }),
    ];
    expect(placed(two)).toEqual([
      ['srv', 0, 0],
      ['one', 1, 45],
      ['two', 1, 80],
    ]);
  });

  it('have the time that their backend told, not that at which they were taken in', () => {
    const told = { start_ms: START + 3_600_020.5 };
    const later = { start_ms: START + 3_600_030.25 };
    const events = [span('srv', REQUEST, 900, 60, told), span('db', 'srv', 900, 10, later)];
    expect(placed(events)).toEqual([
      ['srv', 0, 20],
      ['db', 1, 29.75],
    ]);
  });

  it('of work that goes on after the answer are where they happened', () => {
    const events = [
      span('srv', REQUEST, 20, 60, { role: 'server' }),
      span('job', 'srv', 70, 500),
      span('send', 'srv', 60, 5, { role: 'producer' }),
      span('take', 'send', 4000, 30, { role: 'consumer', service: 'mailer' }),
      span('smtp', 'take', 4010, 10, { service: 'mailer' }),
    ];
    expect(placed(events)).toEqual([
      ['srv', 0, 20],
      ['send', 1, 60],
      ['take', 2, 4000],
      ['smtp', 3, 4010],
      ['job', 1, 70],
    ]);
    expect(backend(events)?.shifts).toEqual([]);
    // A server may go on, too; and nothing begins before what led to it.
    expect(placed([span('srv', REQUEST, 90, 300, { role: 'server' })])).toEqual([['srv', 0, 90]]);
    expect(placed([span('srv', REQUEST, -500, 300)], moment({ duration_ms: undefined }))).toEqual([['srv', 0, 0]]);
    const early = [events[0], events[2], span('take', 'send', -4000, 30, { role: 'consumer', service: 'mailer' })];
    expect(placed(early as SessionEvent[])?.[2]).toEqual(['take', 2, 60]);
  });

  it('that outlive their own service’s span stay where they are', () => {
    const events = [span('srv', REQUEST, 20, 60), span('job', 'srv', 70, 500)];
    expect(placed(events)?.[1]).toEqual(['job', 1, 70]);
  });

  it('may be many, or a ring', () => {
    const many = Array.from({ length: 500 }, (_, index) => span(`s${String(index)}`, REQUEST, index / 10, 1));
    const all = backend(many);
    expect([all?.spans.length, all?.more]).toEqual([200, 300]);
    const ring = [
      span('srv', REQUEST, 20, 60),
      span('one', 'two', 30, 1),
      span('two', 'one', 30, 1),
      span('me', 'me', 1, 1),
    ];
    expect(placed(ring)).toEqual([['srv', 0, 20]]);
    const chain = Array.from({ length: 5000 }, (_, index) =>
      span(`s${String(index)}`, index === 0 ? REQUEST : `s${String(index - 1)}`, 20, 60),
    );
    expect(placed(chain)).toHaveLength(200);
  });

  it('of any shape do no harm', () => {
    const odd = { kind: 'span', time: START, data: { trace_id: 7, span_id: {}, duration_ms: 'x' } };
    expect(toSpan(odd as unknown as SessionEvent)).toBeNull();
    expect(toSpan({ ...odd, kind: 'request' } as unknown as SessionEvent)).toBeNull();
  });

  it('are told in one line', () => {
    const of = (attributes: Record<string, unknown>) => {
      const one = toSpan(span('a', null, 0, 1, { attributes }));
      return one && shortly(one);
    };
    expect(of({ 'http.request.method': 'GET', 'http.route': '/a/:id', 'http.response.status_code': 500 })).toBe(
      'GET /a/:id 500',
    );
    expect(of({ 'db.system': 'postgresql', 'db.operation': 'SELECT', 'db.statement': 'SELECT ?' })).toBe(
      'postgresql SELECT ?',
    );
    expect(of({ 'db.system.name': 'redis', 'db.operation.name': 'GET' })).toBe('redis GET');
    expect(of({ 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' })).toBe('kafka orders');
    expect(of({ 'http.route': { toString: 'x' } })).toBe('');
  });
});

describe('spans of a session', () => {
  const page = (next: string | null) => ({
    items: Array.from({ length: 1000 }, () => span('a', null, 0, 1)),
    next,
  });

  it('are the first of them where there are too many', async () => {
    const asked: (string | null)[] = [];
    const many = await loadSpans((cursor) => {
      asked.push(cursor);
      return Promise.resolve(page(String(asked.length)));
    });
    expect([many.items.length, many.areAll, asked.length, asked[1]]).toEqual([MOST_SPANS, false, 10, '1']);
    expect((await loadSpans(() => Promise.resolve(page(null)))).areAll).toBe(true);
  });
});

describe('a request’s waterfall', () => {
  it('says what is known where no spans have come', () => {
    const server_timing = [{ name: 'total', duration_ms: 1710 }];
    expect(withoutSpans({ server_timing }, true)).toMatch(
      /^Server-Timing says that the backend took 1\.71 s;.*have come/,
    );
    expect(withoutSpans({}, true)).toBe('What the backend did is not known: no spans of this request have come.');
    expect(withoutSpans({}, false)).toContain('not among the first 10,000');
  });

  it('has room for what the request waited for, and not for what came an hour later', () => {
    const of = (from: number, duration: number) => ({
      span: toSpan(span('a', null, 0, duration)) ?? expect.fail('no span'),
      depth: 0,
      from,
    });
    expect(scaleOf(100, [of(20, 60)])).toBe(100);
    expect(scaleOf(100, [of(20, 60), of(90, 200)])).toBe(290);
    expect(scaleOf(100, [of(20, 60), of(3_600_000, 10)])).toBe(100);
    expect(scaleOf(100, [of(20, 60), of(90, 3_600_000)])).toBe(400);
  });
});

describe('a request’s time', () => {
  const timing = { send_ms: 5, wait_ms: 80, download_ms: 5 };

  it('is the backend’s as far as the server says so', () => {
    expect(splitTime({ duration_ms: 100, timing }, 60)).toEqual([
      { part: 'network', duration_ms: 30 },
      { part: 'backend', duration_ms: 60 },
      { part: 'unknown', duration_ms: 10 },
    ]);
    const server_timing = [{ name: 'db', duration_ms: 40 }, { name: 'cache' }];
    expect(splitTime({ duration_ms: 100, timing, server_timing }, 60)[1]).toEqual({ part: 'backend', duration_ms: 40 });
    const total = [...server_timing, { name: 'Total', duration_ms: 30 }];
    expect(splitTime({ duration_ms: 100, timing, server_timing: total })[1]).toEqual({
      part: 'backend',
      duration_ms: 30,
    });
  });

  it('is never more than there is', () => {
    expect(splitTime({ duration_ms: 100 }, 900)).toEqual([{ part: 'backend', duration_ms: 100 }]);
    expect(splitTime({ duration_ms: 100 }, null)).toEqual([{ part: 'unknown', duration_ms: 100 }]);
  });
});
