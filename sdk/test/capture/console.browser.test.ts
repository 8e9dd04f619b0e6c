import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from '../browser.js';
import { CapturedPage } from './open.js';
import { Site } from './site.js';

const site = new Site();
let browser: Browser;

beforeAll(async () => {
  await site.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await site.stop();
});

test('the five levels are told, and the page’s console says the same as before', async () => {
  const captured = await CapturedPage.open(browser, site);
  const printed: string[] = [];
  captured.page.on('console', (message) => {
    // What the browser itself has to say, of a resource that was late for example, has no arguments.
    if (message.args().length > 0) printed.push(`${message.type()} ${message.text()}`);
  });
  await captured.page.evaluate(() => {
    console.debug('one', 1);
    console.log('two %s of %d, %cred', 'parts', 3, 'color: red', { a: 1 });
    console.info(null, undefined, true);
    console.warn('password=hunter2', { password: 'hunter2', name: 'ada' });
    console.error('five');
  });
  const lines = await captured.atLeast('console', 5);
  expect(lines.map(({ level, args }) => [level, ...args])).toEqual([
    ['debug', 'one', '1'],
    ['log', 'two parts of 3, red', '{a: 1}'],
    ['info', 'null', 'undefined', 'true'],
    ['warn', 'password=******', '{password: ******, name: "ada"}'],
    ['error', 'five'],
  ]);
  await expect.poll(() => printed.length, { timeout: 60_000 }).toBe(5);
  expect(printed.map((line) => line.split(' ')[0])).toEqual(['debug', 'log', 'info', 'warning', 'error']);
  expect(await captured.page.evaluate(() => [console.log.name, console.log.length, String(console.log)])).toEqual([
    'log',
    0,
    expect.stringContaining('[native code]'),
  ]);
  await captured.close();
});

test('arguments are read without side effects, within bounds, and cannot make us call ourselves', async () => {
  const captured = await CapturedPage.open(browser, site, { html: '<p id="text" class="note">Words</p>' });
  const calls = await captured.page.evaluate(() => {
    let getters = 0;
    const cyclic: Record<string, unknown> = { name: 'me' };
    cyclic.self = cyclic;
    const deep = { a: { b: { c: { d: 1 } } } };
    const trap = new Proxy(
      {},
      {
        ownKeys() {
          console.log('from inside');
          return [];
        },
      },
    );
    const broken = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    );
    const getter = {
      get costly() {
        return ++getters;
      },
    };
    console.log(getter, cyclic, deep, new Map([['token', 'abc']]), new Set([1]), document.querySelector('#text'));
    console.log(
      trap,
      broken,
      Array.from({ length: 100 }, (_, at) => at),
      'x'.repeat(10_000),
      10n,
      Symbol('s'),
      () => 1,
    );
    return getters;
  });
  expect(calls).toBe(0);
  const [first, second, ...more] = await captured.atLeast('console', 2);
  expect(more).toEqual([]);
  expect(first?.args).toEqual([
    '{costly: [getter]}',
    '{name: "me", self: [circular]}',
    '{a: {b: {c: {…}}}}',
    'Map(1) {token: ******}',
    'Set(1) {1}',
    '<p#text>',
  ]);
  expect(second?.args.slice(0, 2)).toEqual(['{}', '[unreadable]']);
  expect(second?.args[2]).toMatch(/^\[0, 1, .*29, … 70 more\]$/);
  expect(second?.args[3]?.length).toBeLessThan(2100);
  expect(second?.args.slice(4)).toEqual(['10n', 'Symbol(s)', '[function anonymous]']);
  expect(second?.truncated).toBe(true);
  await captured.close();
});

test('repeats become a count, and a storm becomes a gap', async () => {
  // All within one second of the page's clock.
  const captured = await CapturedPage.open(browser, site, { still: true });
  await captured.page.evaluate(() => {
    for (let count = 0; count < 1000; count++) console.log('the same');
    for (let count = 0; count < 1000; count++) console.log('another', count);
  });
  await captured.pass(1100);
  const lines = await captured.signals('console');
  expect(lines.filter(({ args }) => args[0] === 'the same').map(({ count }) => count ?? 1)).toEqual([1, 999]);
  // A hundred lines, and what the repeats became.
  expect(lines).toHaveLength(101);
  expect(await captured.signals('gap')).toMatchObject([{ reason: 'degraded', frame: 'signals' }]);
  await captured.close();
});
