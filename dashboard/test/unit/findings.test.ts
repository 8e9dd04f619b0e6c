import { describe, expect, it } from 'vitest';
import { findingsOf, type History, withFindings } from '../../src/replay/findings';
import { laneOf, type Moment, toMoment } from '../../src/replay/moments';

let made = 0;
function request(at_ms: number, data: Record<string, unknown> = {}, stream = 'a'): Moment {
  made += 1;
  const shared = { method: 'GET', url: 'https://shop.example/api/cart', outcome: 'ok', status: 200, duration_ms: 20 };
  return toMoment({
    id: `r${String(made)}`,
    at_ms,
    time: 1_000_000 + at_ms,
    stream,
    kind: 'request',
    data: { ...shared, ...data },
  });
}

const none = new Map<string, History>();
const kindsOf = (moments: readonly Moment[], history = none) => {
  const found = findingsOf(moments, history);
  return moments.map(({ id }) => found.get(id)?.map(({ kind }) => kind) ?? []);
};

describe('what is wrong with a request', () => {
  it('is how it ended', () => {
    const url = (n: number) => `https://shop.example/${String(n)}`;
    const moments = [
      request(0),
      request(1000, { url: url(1), outcome: 'http_error', status: 503, failed: true }),
      request(2000, { url: url(2), outcome: 'network_error', status: 0, failed: true }),
      request(3000, { url: url(3), outcome: 'timeout', duration_ms: 30_000, failed: true }),
      request(4000, { outcome: 'aborted', status: null, duration_ms: 700, failed: false }),
      request(5000, { outcome: 'aborted', status: null, duration_ms: null }),
    ];
    expect(kindsOf(moments)).toEqual([[], ['failed'], ['failed'], ['timeout'], ['cancelled'], []]);
    const marked = withFindings(moments, none);
    expect(marked.map((moment) => laneOf(moment))).toEqual([null, ...Array<string>(4).fill('Requests'), null]);
    expect(marked[1]?.findings?.[0]?.words).toBe('answered with 503 after 20 ms');
  });

  it('is that it took far longer than its endpoint does', () => {
    const endpoint = 'GET /api/items/{id}';
    const of = (duration_ms: number, more = {}) => request(0, { endpoint, duration_ms, ...more });
    const moments = [of(400), of(610), of(610, { outcome: 'aborted' }), of(610, { endpoint: 'GET /other' })];
    const history = new Map([[endpoint, { p95_ms: 300, requests: 50 }]]);
    expect(kindsOf(moments, history)).toEqual([[], ['slow'], ['cancelled'], []]);
    expect(kindsOf(moments, new Map([[endpoint, { p95_ms: 300, requests: 49 }]]))[1]).toEqual([]);
    expect(kindsOf([of(90)], new Map([[endpoint, { p95_ms: 10, requests: 500 }]]))).toEqual([[]]);
  });

  it('is that there is one for each item of a list', () => {
    const item = (n: number, at: number, stream = 'a') =>
      request(at, { endpoint: 'GET /items/{id}', url: `https://shop.example/items/${String(n)}` }, stream);
    const list = Array.from({ length: 8 }, (_, n) => item(n, n * 300));
    expect(kindsOf(list)).toEqual(list.map(() => ['n_plus_one']));
    const [first] = findingsOf(list, none).get(list[3]?.id ?? '') ?? [];
    expect(first?.requests).toEqual(list.map(({ id }) => id));
    expect(first?.words).toContain('8 requests of GET /items/{id} within 2.10 s');
    expect(kindsOf(list.slice(1)).flat()).toEqual([]);
    const apart = Array.from({ length: 9 }, (_, n) => item(n, n * 400));
    expect(kindsOf(apart).flat()).toEqual([]);
    const tabs = Array.from({ length: 8 }, (_, n) => item(n, n * 100, n % 2 ? 'a' : 'b'));
    expect(kindsOf(tabs).flat()).toEqual([]);
    const polled = Array.from({ length: 12 }, (_, n) => item(1, n * 100));
    expect(kindsOf(polled).flat(), 'the same one again is no list').toEqual([]);
  });

  it('is that it is tried again and again', () => {
    const failed = { outcome: 'http_error', status: 500, failed: true };
    const storm = [0, 1000, 3000].map((at) => request(at, failed));
    expect(kindsOf([...storm, request(7000)])).toEqual([
      ['failed', 'retries'],
      ['failed', 'retries'],
      ['failed', 'retries'],
      ['retries'],
    ]);
    expect(kindsOf([...storm]).flat()).toEqual(['failed', 'failed', 'failed']);
    expect(kindsOf([...storm, request(90_000)]).flat()).toEqual(['failed', 'failed', 'failed']);
    const ok = [0, 10, 20, 30, 40].map((at) => request(at));
    expect(kindsOf(ok).flat(), 'none of them failed').toEqual([]);
  });

  it('leaves alone what nothing is wrong with', () => {
    const moments = [request(0)];
    expect(withFindings(moments, none)).toBe(moments);
  });
});
