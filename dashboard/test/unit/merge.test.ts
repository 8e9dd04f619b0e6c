import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/api/model';
import { mergeFirstPage } from '../../src/sessions/merge';
import { suggestFilters } from '../../src/sessions/suggestions';
import { makeSession } from '../server/sessions';

const NOW = Date.UTC(2026, 10, 22, 12);
const sessions = (...indexes: number[]) => indexes.map((index) => makeSession(index, NOW));
const ids = (list: readonly Session[] | null) => list?.map((session) => session.id);
const page = (items: Session[], next: string | null = 'more', partial = false) => ({ items, next, partial });

describe('a fresh first page over a loaded list', () => {
  it('puts new sessions on top and keeps what is further down', () => {
    const merged = mergeFirstPage(sessions(2, 3, 4, 5), page(sessions(1, 2, 3)), false);
    expect(ids(merged)).toEqual(ids(sessions(1, 2, 3, 4, 5)));
  });

  it('takes the newer state of a session', () => {
    const grown = makeSession(2, NOW, { duration_ms: 1 });
    expect(mergeFirstPage(sessions(2, 3), page([grown]), false)?.[0]?.duration_ms).toBe(1);
  });

  it('drops what the fresh page covers and no longer holds', () => {
    expect(ids(mergeFirstPage(sessions(1, 2, 3, 4), page(sessions(1, 3)), false))).toEqual(ids(sessions(1, 3, 4)));
  });

  it('is the whole list when there is no next page', () => {
    expect(ids(mergeFirstPage(sessions(1, 2, 3), page(sessions(1), null), false))).toEqual(ids(sessions(1)));
    expect(mergeFirstPage(sessions(1), page([], null), false)).toEqual([]);
  });

  it('asks to load again when the two do not meet', () => {
    expect(mergeFirstPage(sessions(8, 9), page(sessions(1, 2)), false)).toBeNull();
  });

  it('keeps the list when a partial page found nothing', () => {
    expect(ids(mergeFirstPage(sessions(8, 9), page([], 'more', true), false))).toEqual(ids(sessions(8, 9)));
  });

  it('works with the oldest first', () => {
    const merged = mergeFirstPage(sessions(9, 8, 7, 6), page(sessions(9, 8, 7)), true);
    expect(ids(merged)).toEqual(ids(sessions(9, 8, 7, 6)));
  });

  it('shows what was loaded until the first refresh', () => {
    expect(ids(mergeFirstPage(sessions(1), undefined, false))).toEqual(ids(sessions(1)));
  });
});

describe('suggested filters', () => {
  const list = sessions(0, 1, 2, 3, 4, 5, 6);

  it('come from the values of the sessions at hand', () => {
    expect(suggestFilters('fire', list, {})).toContainEqual(
      expect.objectContaining({ key: 'browser', value: 'Firefox' }),
    );
    const typed = suggestFilters('browser:', list, {});
    expect(typed.length).toBeGreaterThan(0);
    expect(typed.every(({ key }) => key === 'browser')).toBe(true);
    expect(suggestFilters('portu', list, {})).toContainEqual(expect.objectContaining({ key: 'country', value: 'PT' }));
    expect(suggestFilters('coupon', list, {})[0]).toMatchObject({ key: 'event', value: 'coupon applied' });
  });

  it('leave out kinds that are filtered by already, and are few', () => {
    expect(suggestFilters('fire', list, { browser: 'Firefox' }).map(({ key }) => key)).not.toContain('browser');
    expect(suggestFilters('o', list, {}).length).toBeLessThanOrEqual(7);
    expect(suggestFilters('  ', list, {})).toEqual([]);
  });
});
