import { describe, expect, it } from 'vitest';
import {
  openKey,
  withoutOpenKey,
  describeFilters,
  isFiltered,
  readFilters,
  takeTypedFilters,
  toSessionQuery,
  type SessionFilters,
} from '../../src/sessions/filters';
import { parseSearch, stringifySearch } from '../../src/shell/search-params';

const NOW = Date.UTC(2026, 10, 22, 13, 5, 9);
const ID = '0123456789abcdef0123456789abcdef';

describe('filters in the address', () => {
  const full: SessionFilters = {
    q: 'ana & co',
    from: 1_700_000_000_000,
    to: 1_800_000_000_000,
    min: 30_000,
    max: 600_000,
    errors: true,
    failed: true,
    browser: 'Chrome',
    os: 'macOS',
    country: 'PT',
    release: '2.4.1+build/7',
    page: '/checkout/*',
    user: 'ana@shop.example',
    ip: '2001:db8::1',
    id: ID,
    event: 'coupon applied',
    sort: 'started_at',
  };

  it('come back as they were', () => {
    expect(readFilters(parseSearch(stringifySearch({ ...full })))).toEqual(full);
  });

  it('stay readable', () => {
    expect(stringifySearch({ page: '/cart', user: 'a@b.example', errors: true })).toBe(
      '?page=/cart&user=a@b.example&errors=true',
    );
  });

  it('are left out when they make no sense', () => {
    expect(
      readFilters({
        from: 'yesterday',
        min: '-4',
        max: '1e3',
        errors: 'no',
        range: '5y',
        sort: 'name',
        q: '  ',
        foo: 'x',
      }),
    ).toEqual({});
  });

  it('drop the default sort', () => {
    expect(readFilters({ sort: '-started_at' })).toEqual({});
  });

  it('keep hostile text as text, cut to its limit', () => {
    expect(readFilters({ q: '<img src=x onerror=alert(1)>' }).q).toBe('<img src=x onerror=alert(1)>');
    expect(readFilters({ user: 'x'.repeat(5000) }).user).toHaveLength(400);
  });
});

describe('the query for the API', () => {
  it('names every filter as the API does', () => {
    expect(
      toSessionQuery(
        { errors: true, failed: true, min: 1, max: 2, user: 'u', event: 'e', id: ID.toUpperCase(), country: 'pt' },
        NOW,
      ),
    ).toMatchObject({
      has_errors: true,
      has_failed_requests: true,
      min_duration_ms: 1,
      max_duration_ms: 2,
      user: 'u',
      custom_event: 'e',
      session_id: ID,
      country: 'PT',
    });
  });

  it('turns a relative range into a start on a whole minute', () => {
    expect(toSessionQuery({ range: '1h' }, NOW).from).toBe(Date.UTC(2026, 10, 22, 12, 5, 0));
    expect(toSessionQuery({ range: '1h', from: 7 }, NOW).from).toBe(7);
    expect(toSessionQuery({}, NOW).from).toBeUndefined();
  });

  it('looks for a piece of an id as text', () => {
    expect(toSessionQuery({ id: '0123ABC' }, NOW)).toMatchObject({ q: '0123abc', session_id: undefined });
  });

  it.each([
    ['/cart', '/cart'],
    ['/orders/*', '/orders/*'],
    ['https://shop.example/cart', 'https://shop.example/cart'],
    ['cart', '*cart*'],
  ])('the page %s is asked for as %s', (typed, asked) => {
    expect(toSessionQuery({ page: typed }, NOW).page).toBe(asked);
  });
});

describe('chips', () => {
  it('say what is filtered by and know how to go away', () => {
    const chips = describeFilters({ q: 'x', errors: true, min: 30_000, country: 'PT', from: NOW }, NOW);
    expect(chips.map(({ label, value }) => `${label}: ${value}`)).toEqual([
      expect.stringMatching(/^started: .+ – now$/),
      'has: errors',
      'longer than: 30 s',
      'country: PT',
    ]);
    expect(chips.at(-1)?.without).toEqual({ q: 'x', errors: true, min: 30_000, from: NOW });
  });

  it('know whether anything narrows the list', () => {
    expect(isFiltered({ sort: 'started_at' })).toBe(false);
    expect(isFiltered({ q: 'x' })).toBe(true);
  });
});

describe('typed filters', () => {
  it('look for no text while a filter is being typed', () => {
    expect(
      ['browser:', 'ana browser:Chr', 'release:"2.4 b', 'has:err', 'https://x.example', 'ana'].map(withoutOpenKey),
    ).toEqual(['', 'ana ', '', '', 'https://x.example', 'ana']);
    expect(openKey('ana Email:"a b')).toEqual({ key: 'user', value: 'a b' });
    expect([openKey('ana'), openKey('colour:red')]).toEqual([null, null]);
  });

  it('take finished words only, until all is finished', () => {
    expect(takeTypedFilters('browser:Fire', {}, false)).toEqual({ filters: {}, rest: 'browser:Fire' });
    expect(takeTypedFilters('browser:Firefox ana', {}, false)).toEqual({
      filters: { browser: 'Firefox' },
      rest: 'ana',
    });
    expect(takeTypedFilters('browser:Firefox', {}, true)).toEqual({ filters: { browser: 'Firefox' }, rest: '' });
  });

  it('understand quotes, has:, and other names for the same', () => {
    expect(takeTypedFilters('release:"2.4 beta" has:errors has:failed email:a@b.example', {}, true)).toEqual({
      filters: { release: '2.4 beta', errors: true, failed: true, user: 'a@b.example' },
      rest: '',
    });
  });

  it('leave URLs and unknown words alone', () => {
    expect(takeTypedFilters('https://shop.example/cart colour:red ', {}, false)).toEqual({
      filters: {},
      rest: 'https://shop.example/cart colour:red ',
    });
  });

  it('take a pasted session id as the id', () => {
    expect(takeTypedFilters(` ${ID.toUpperCase()} `, { errors: true }, false)).toEqual({
      filters: { errors: true, id: ID },
      rest: '',
    });
  });
});
