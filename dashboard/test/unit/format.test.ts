import { describe, expect, it } from 'vitest';
import { formatDuration, formatPosition, parseDuration } from '../../src/format/duration';
import { formatBytes, formatCount, formatCountOf, formatShare } from '../../src/format/number';
import { countryName, cutMiddle, pathOf, productName } from '../../src/format/text';
import { formatAgo, formatClock, formatFullTime, formatIso, formatShortTime } from '../../src/format/time';

describe('durations', () => {
  it.each([
    [0, '0 ms'],
    [84, '84 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [2310, '2.31 s'],
    [9_994, '9.99 s'],
    [9_996, '10 s'],
    [42_400, '42 s'],
    [59_700, '1 min 00 s'],
    [252_000, '4 min 12 s'],
    [3_600_000, '1 h 00 min'],
    [3_900_000, '1 h 05 min'],
    [3 * 86_400_000, '3 d'],
    [-5, '0 ms'],
    [Number.NaN, '–'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it.each([
    [0, '00:00'],
    [134_999, '02:14'],
    [3_734_000, '1:02:14'],
    [Number.NaN, '00:00'],
  ])('%d ms is the position %s', (milliseconds, text) => {
    expect(formatPosition(milliseconds)).toBe(text);
  });

  it('shows tenths of a second on demand, rounded down', () => {
    expect(formatPosition(134_390, true)).toBe('02:14.3');
    expect(formatPosition(59_999, true)).toBe('00:59.9');
  });

  it.each([
    ['30', 30_000],
    ['1.5', 1500],
    ['30s', 30_000],
    ['2 min', 120_000],
    ['1h 10m', 4_200_000],
    ['500 ms', 500],
    ['', null],
    ['soon', null],
    ['5 s later', null],
    ['-3', null],
  ])('reads %j as %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it('reads back what it writes', () => {
    for (const length of [84, 2310, 42_000, 252_000, 3_900_000]) {
      expect(parseDuration(formatDuration(length))).toBe(length);
    }
  });
});

describe('numbers', () => {
  it('groups thousands and counts in words', () => {
    expect(formatCount(1284)).toBe('1,284');
    expect(formatCountOf(1, 'error')).toBe('1 error');
    expect(formatCountOf(0, 'error')).toBe('0 errors');
    expect(formatCountOf(2, 'entry', 'entries')).toBe('2 entries');
    expect(formatShare(0.125)).toBe('12.5 %');
  });

  it.each([
    [0, '0 B'],
    [812, '812 B'],
    [1024, '1.0 KiB'],
    [1023.9 * 1024, '1.0 MiB'],
    [150 * 1024, '150 KiB'],
    [1.2 * 1024 ** 2, '1.2 MiB'],
    [3 * 1024 ** 5, '3072 TiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('texts', () => {
  it('cuts paths in the middle and never at the end', () => {
    const cut = cutMiddle('/api/v2/customers/8812/orders/991/pay', 20);
    expect(cut).toHaveLength(20);
    expect(cut.endsWith('/orders/991/pay'.slice(-13))).toBe(true);
    expect(cutMiddle('/short', 20)).toBe('/short');
  });

  it('takes the path of a URL and leaves other text alone', () => {
    expect(pathOf('https://shop.example/cart?coupon=1#top')).toBe('/cart?coupon=1');
    expect(pathOf('https://shop.example')).toBe('/');
    expect(pathOf('not a url')).toBe('not a url');
  });

  it('names countries and products', () => {
    expect(countryName('pt')).toBe('Portugal');
    expect(countryName('not a code')).toBe('not a code');
    expect(productName({ name: 'Chrome', version: '131.0.6778.86' })).toBe('Chrome 131');
    expect(productName({ name: 'Chrome', version: null })).toBe('Chrome');
    expect(productName({ name: null, version: '1' })).toBeNull();
  });
});

describe('times', () => {
  const time = Date.UTC(2026, 10, 22, 13, 5, 9, 120);

  it('shows the clock in UTC', () => {
    expect(formatClock(time, 'utc')).toBe('13:05:09');
    expect(formatClock(time, 'utc', true)).toBe('13:05:09.120');
    expect(formatIso(time)).toBe('2026-11-22T13:05:09.120Z');
    expect(formatFullTime(time, 'utc')).toMatch(/^Sun.* 22 Nov 2026.* 13:05:09 UTC$/);
  });

  it('leaves out the day when it is today', () => {
    expect(formatShortTime(time, 'utc', time + 3_600_000)).toBe('13:05');
    expect(formatShortTime(time, 'utc', time + 86_400_000)).toBe('22 Nov, 13:05');
  });

  it.each([
    [0, 'just now'],
    [12_000, '12 s ago'],
    [125_000, '2 min ago'],
    [3 * 3_600_000, '3 h ago'],
    [5 * 86_400_000, '5 d ago'],
    [-3 * 86_400_000, 'in 3 d'],
  ])('%d ms before now is %s', (distance, text) => {
    expect(formatAgo(time, time + distance)).toBe(text);
  });
});
