// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { isFiltered, readIssueFilters, takeTyped, toIssueQuery, withoutOpenKey } from '../../src/issues/filters';
import { framesAsText, readFrames } from '../../src/replay/panes/frames';
import { issueOf } from '../../src/replay/moments';
import { readFilters, toSessionQuery } from '../../src/sessions/filters';
import { readIssueReference } from '../../src/shell/commands';

const ID = '0123456789abcdef0123456789abcdef';

describe('filters of issues', () => {
  it('are read from the address; what makes no sense is left out', () => {
    expect(
      readIssueFilters({ q: ' receipt ', state: 'resolved', sort: 'users', span: '30d', release: '2.4.1' }),
    ).toEqual({
      q: 'receipt',
      state: 'resolved',
      sort: 'users',
      span: '30d',
      release: '2.4.1',
    });
    expect(readIssueFilters({ q: 7, state: 'unresolved', sort: 'nonsense', span: '1y', other: 'x' })).toEqual({});
  });

  it('become one query; by default nothing that was resolved or archived is shown', () => {
    expect(toIssueQuery({})).toEqual({ query: 'state:unresolved', sort: 'priority' });
    expect(toIssueQuery({ state: 'any' })).toEqual({ query: undefined, sort: 'priority' });
    expect(toIssueQuery({ q: 'order receipt', release: '2.4 beta', sort: 'events' })).toEqual({
      query: 'state:unresolved release:"2.4 beta" order receipt',
      sort: 'events',
    });
    // The API refuses fields that it does not know.
    expect(toIssueQuery({ state: 'any', q: 'TypeError: x colour:red' }).query).toBe('TypeError: x "colour:red"');
    expect(isFiltered({ sort: 'events', span: '30d' })).toBe(false);
    expect(isFiltered({ state: 'new' })).toBe(true);
  });

  it('are taken out of typed text once a word is complete', () => {
    expect(takeTyped('receipt release:2.4.1 ', {}, false)).toEqual({ filters: { release: '2.4.1' }, rest: 'receipt ' });
    expect(takeTyped('receipt release:2.4', {}, false)).toEqual({ filters: {}, rest: 'receipt release:2.4' });
    expect(takeTyped('state:escalating', {}, true)).toEqual({ filters: { state: 'escalating' }, rest: '' });
    expect(takeTyped('state:regressed', {}, true)).toEqual({ filters: { state: 'regressed' }, rest: '' });
    expect(takeTyped('is:unhandled is:big', {}, true)).toEqual({ filters: { is: 'unhandled' }, rest: 'is:big' });
    expect(takeTyped('http://x other:y', {}, true).filters).toEqual({});
    expect(withoutOpenKey('receipt release:2.4')).toBe('receipt ');
    expect(withoutOpenKey('TypeError: x')).toBe('TypeError: x');
  });
});

describe('the issue of a session', () => {
  it('is a filter of the sessions only when it is an id', () => {
    expect(toSessionQuery(readFilters({ issue: ID.toUpperCase() }), 0).issue).toBe(ID);
    expect(readFilters({ issue: 'x' })).toEqual({});
  });
  it('is read from an error, and from a link', () => {
    expect(issueOf({ issue: ID })).toBe(ID);
    expect(issueOf({ issue: '../settings' })).toBeNull();
    expect(readIssueReference(`https://x.example/p/abc/issues/${ID}?span=30d`)).toEqual({ project: 'abc', issue: ID });
    expect(readIssueReference(ID)).toBeNull();
  });
});

describe('frames', () => {
  it('are read with what is not known left open', () => {
    const frames = readFrames([
      {
        function: 'pay',
        file: 'https://a.example/b/c.js?v=1',
        line: 3,
        column: 9,
        kind: 'script',
        in_app: true,
        async: true,
      },
      { kind: 'native', in_app: false },
      'nonsense',
    ]);
    expect(frames.map(({ name, place, inApp, isAsync, kind }) => [name, place, inApp, isAsync, kind])).toEqual([
      ['pay', 'c.js:3:9', true, true, null],
      ['(anonymous)', null, false, false, 'native'],
      ['(anonymous)', null, false, false, null],
    ]);
    expect(framesAsText(frames.slice(0, 1))).toBe('    at pay (https://a.example/b/c.js?v=1:3:9)');
    expect(readFrames('x')).toEqual([]);
  });
});
