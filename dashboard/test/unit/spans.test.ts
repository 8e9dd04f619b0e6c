import { describe, expect, it } from 'vitest';
import type { SessionEvent } from '../../src/api/model';
import { backendOf, byTrace, shortly, toSpan } from '../../src/replay/panes/spans';
import { splitTime } from '../../src/replay/panes/timing';

const START = 1_767_225_600_000;
const TRACE = 'a'.repeat(32);
const REQUEST = 'r'.repeat(16);

const moment = (data: Record<string, unknown> = {}) => ({
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

const placed = (events: SessionEvent[], request = moment()) =>
  backendOf(request, byTrace(events))?.spans.map(({ span: { id }, depth, from }) => [id, depth, from]);

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
    const backend = backendOf(moment(), byTrace(events));
    expect([backend?.durationMs, backend?.skewMs, backend?.more]).toEqual([60, 0, 0]);
  });

  it('of other requests of the same trace are not shown, and none is no zero', () => {
    const events = [span('srv', REQUEST, 20, 60), span('else', 'another request', 10, 5)];
    expect(placed(events)).toEqual([['srv', 0, 20]]);
    expect(placed([])).toBeUndefined();
    expect(placed(events, moment({ trace_id: 'b'.repeat(32) }))).toBeUndefined();
    expect(placed(events, moment({ trace_id: undefined }))).toBeUndefined();
    expect(backendOf(moment(), byTrace(events))?.durationMs).toBeNull();
  });

  it('go by their own tree when the request’s span is not known, or a proxy between told nothing', () => {
    const events = [span('srv', 'proxy', 20, 60), span('db', 'srv', 30, 10)];
    const tree = [
      ['srv', 0, 20],
      ['db', 1, 30],
    ];
    expect(placed(events)).toEqual(tree);
    expect(placed(events, moment({ span_id: undefined }))).toEqual(tree);
  });

  it('are put inside of what led to them when clocks disagree, and that is said', () => {
    const events = [
      span('srv', REQUEST, -90_000, 60),
      span('db', 'srv', -89_990, 10),
      span('mail', 'srv', 5000, 20, { service: 'mailer' }),
    ];
    expect(placed(events)).toEqual([
      ['srv', 0, 20],
      ['db', 1, 30],
      ['mail', 1, 40],
    ]);
    expect(backendOf(moment(), byTrace(events))?.skewMs).toBe(90_020);
    // Longer than the request that it outlives: it began no earlier.
    expect(placed([span('srv', REQUEST, -500, 300)])).toEqual([['srv', 0, 0]]);
    expect(placed([span('srv', REQUEST, -500, 300)], moment({ duration_ms: undefined }))).toEqual([['srv', 0, 0]]);
  });

  it('that outlive their own service’s span stay where they are', () => {
    const events = [span('srv', REQUEST, 20, 60), span('job', 'srv', 70, 500)];
    expect(placed(events)?.[1]).toEqual(['job', 1, 70]);
  });

  it('may be many, or a ring', () => {
    const many = Array.from({ length: 500 }, (_, index) => span(`s${String(index)}`, REQUEST, index / 10, 1));
    const backend = backendOf(moment(), byTrace(many));
    expect([backend?.spans.length, backend?.more]).toEqual([200, 300]);
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
