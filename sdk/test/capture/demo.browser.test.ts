import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch } from '../browser.js';
import { Collector } from '../collector.js';
import { DemoSite } from './demo-site.js';

let collector: Collector;
let demo: DemoSite;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

beforeEach(async () => {
  collector = new Collector();
  await collector.start();
  demo = new DemoSite(`<script defer src="${collector.url('/sdk/playhead.js')}" data-key="${collector.key}"></script>`);
  await demo.start();
});

afterEach(async () => {
  await demo.stop();
  await collector.stop();
});

afterAll(() => browser.close());

test('every button of the demo shop makes happen what it says', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${demo.url}/demo`);
  await page.waitForSelector('.card');
  await collector.untilLate();
  // Each is done before the next begins: only what nobody caused may stay without a reaction.
  const happenings: [id: string, tells: string][] = [
    ['uncaught-error', 'A voucher was applied'],
    ['rejected-promise', 'The wish list was opened'],
    ['console-error', 'Stock was compared'],
    ['failing-request', 'An order failed'],
    ['websocket', 'The socket answered'],
    ['slow-request', 'The report came after'],
  ];
  for (const [id, tells] of happenings) {
    await page.click(`#${id}`);
    await page.waitForSelector(`text=/${tells}/`);
  }
  await page.click('#rage-target', { clickCount: 5 });
  await page.click('#dead-click');
  await collector.until('the clicks that nobody answered', () => collector.signals('dead_click').length === 2);
  await page.close();
  await collector.until('the rage', () => collector.signals('rage_click').length > 0);
  await collector.until('the largest paint', () => collector.signals('vital').some(({ name }) => name === 'LCP'));

  const errors = collector.signals('error');
  const told = errors.map(({ mechanism, type, message }) => `${mechanism} ${type}: ${message}`);
  expect(told).toEqual([
    expect.stringMatching(/^uncaught TypeError: .*'rate'/),
    'unhandledrejection Error: the wish list wish-list-7 cannot be read',
    'console StockError: 12 on the shelf, 9 in the books',
  ]);
  expect(errors[0]?.stack).toMatch(/discountFor[\s\S]*priceWithDiscount[\s\S]*applyVoucher/);
  expect(errors[1]?.causes?.[0]?.type).toBe('SyntaxError');
  const requests = collector.signals('request');
  const failed = requests.find(({ url }) => url.endsWith('/orders/fail'));
  const slow = requests.find(({ url }) => url.endsWith('/slow'));
  expect(failed).toMatchObject({ method: 'POST', status: 502, outcome: 'http_error' });
  expect(slow).toMatchObject({ status: 200, outcome: 'ok' });
  expect(slow?.duration_ms).toBeGreaterThanOrEqual(1490);
  const clicks = collector.signals('click');
  expect(clicks.find(({ id }) => id === failed?.click)?.selector).toContain('#failing-request');
  expect(collector.signals('websocket').map(({ op }) => op)).toEqual(['open', 'message', 'message', 'close']);
  expect(collector.signals('console').map(({ level }) => level)).toEqual(['error']);
  expect(collector.signals('rage_click')).toMatchObject([
    { selector: expect.stringContaining('#rage-target'), count: 5 },
  ]);
  const dead = collector.signals('dead_click').map(({ selector }) => selector);
  expect(dead).toContain(collector.signals('rage_click')[0]?.selector);
  expect(dead.some((selector) => selector.includes('#dead-click'))).toBe(true);
  expect(collector.signals('vital').map(({ name }) => name)).toEqual(expect.arrayContaining(['FCP', 'TTFB', 'LCP']));
});

test('somebody buys a mug: pages are told, what is typed is not', async () => {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(`${demo.url}/demo/products/mug`);
  await collector.untilLate();
  await page.click('text=Add to cart');
  await page.click('text=Check out');
  await page.fill('#checkout-name', 'Ada Lovelace');
  await page.fill('#checkout-email', 'ada@example.com');
  await page.fill('#checkout-card', '4242 4242 4242 4242');
  await page.fill('#checkout-password', 'correct horse');
  await page.fill('#checkout-note', 'leave it at the door');
  await page.click('text=Place the order');
  await page.waitForSelector('text=Thank you');
  await page.goBack();
  await page.waitForSelector('text=Your cart is empty');
  await page.close();
  await collector.until('the order', () => collector.signals('request').some(({ status }) => status === 201));
  const isPopped = (): boolean => collector.signals('navigation').some(({ how }) => how === 'pop');
  await collector.until('the way back', isPopped);
  const moves = collector.signals('navigation').map(({ how, url }) => `${how} ${new URL(url).pathname}`);
  expect(moves).toEqual([
    'load /demo/products/mug',
    'push /demo/cart',
    'push /demo/checkout',
    'push /demo/thanks',
    'pop /demo/checkout',
  ]);
  expect(collector.signals('input').map(({ label }) => label)).toEqual([
    'Full name',
    'E-mail',
    'Card number',
    'Choose a password',
    'A note for us',
  ]);
  expect(collector.everything()).not.toMatch(/Lovelace|ada@example|4242 4242|correct horse|at the door/);
  expect(problems).toEqual([]);
});
