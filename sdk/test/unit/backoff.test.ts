import { expect, it } from 'vitest';
import { Backoff } from '../../src/delivery/backoff.js';

it('doubles with jitter up to a minute and starts again after a success', () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 10 }, () => backoff.fail(undefined, () => 1));
  expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
  expect(Math.max(...waits)).toBe(60_000);
  backoff.succeed();
  expect(backoff.fail(undefined, () => 0)).toBe(500);
});

it('never comes back sooner than the server asked', () => {
  const backoff = new Backoff();
  expect(backoff.fail(7000, () => 0)).toBe(7000);
  expect(backoff.fail(7000, () => 1)).toBeLessThanOrEqual(7000 * 1.2);
});
