import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, PATIENCE_MS } from '../browser.js';
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

test('an uncaught error keeps its stack, its place and its causes', async () => {
  const captured = await CapturedPage.open(browser, site);
  const script = await captured.run(`
      function inner() { throw new TypeError('outer', { cause: new Error('middle', { cause: 'root' }) }) }
      function outer() { inner() }
      setTimeout(outer)`);
  const error = await captured.first('error');
  expect(error).toMatchObject({ type: 'TypeError', message: 'outer', mechanism: 'uncaught', handled: false });
  expect(error.stack).toMatch(/inner[\s\S]*outer/);
  expect(error.line).toBeGreaterThan(0);
  expect(error.source).toBe(script);
  expect(error.causes?.map(({ message }) => message)).toEqual(['middle', 'root']);
  expect(error.id).toMatch(/^[0-9a-f]{16}$/);
  expect(await captured.page.evaluate(() => window.harness.urgent)).toBe(1);
  await captured.close();
});

test('rejections of every sort are told: errors, texts, objects, DOM exceptions, several at once', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.run(`
      Promise.reject(new RangeError('an error'));
      Promise.reject('a text, token=abcdef');
      Promise.reject({ code: 7, password: 'hunter2' });
      Promise.reject(new DOMException('not now', 'InvalidStateError'));
      Promise.any([Promise.reject(new Error('one')), Promise.reject(new Error('two'))]);
      Promise.reject(undefined);`);
  const errors = await captured.atLeast('error', 6);
  const told = errors.map(({ type, message }) => `${type}: ${message}`);
  expect(told).toContain('RangeError: an error');
  expect(told).toContain('NonError: a text, token=******');
  expect(told).toContain('NonError: {code: 7, password: ******}');
  expect(told).toContain('InvalidStateError: not now');
  expect(told).toContain('NonError: undefined');
  const several = errors.find(({ type }) => type === 'AggregateError');
  expect(several?.errors?.map(({ message }) => message)).toEqual(['one', 'two']);
  expect(errors.every(({ mechanism, handled }) => mechanism === 'unhandledrejection' && !handled)).toBe(true);
  await captured.close();
});

test('the same error by several routes counts once, and how it ended is told', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.run(`
      const logged = new Error('logged and thrown');
      setTimeout(() => { console.error('oh', logged); throw logged });
      const only = new Error('logged alone');
      console.error(only); console.error('again', only);
      const round = new Error('its own cause'); round.cause = round;
      setTimeout(() => {
        Promise.reject(round);
        setTimeout(() => { throw round }, 10);
        setTimeout(() => document.body.classList.add('thrown'), 20);
      });`);
  await captured.atLeast('error', 3);
  await captured.page.waitForSelector('.thrown');
  const errors = await captured.signals('error');
  expect(errors.map(({ message, mechanism }) => [message, mechanism]).sort()).toEqual([
    ['its own cause', 'unhandledrejection'],
    ['logged alone', 'console'],
    ['logged and thrown', 'uncaught'],
  ]);
  expect(errors.find(({ message }) => message === 'its own cause')).not.toHaveProperty('causes');
  await captured.close();
});

test('resources that fail and violations of the policy are told, once per violation', async () => {
  const policy = "img-src 'self'; default-src 'self' 'unsafe-inline'";
  const captured = await CapturedPage.open(browser, site, { path: `/page?policy=${encodeURIComponent(policy)}` });
  await captured.page.evaluate(() => {
    let violations = 0;
    document.addEventListener('securitypolicyviolation', () => {
      if (++violations === 3) document.body.classList.add('refused');
    });
    document.body.insertAdjacentHTML('beforeend', '<img src="/missing.png?token=abc">');
    for (let count = 0; count < 3; count++) {
      document.body.insertAdjacentHTML('beforeend', '<img src="http://elsewhere.invalid/a.png">');
    }
  });
  await captured.page.waitForFunction(() => window.harness.signals.filter(({ k }) => k === 'error').length >= 3);
  await captured.page.waitForSelector('.refused');
  const errors = await captured.signals('error');
  const missing = errors.find(({ message }) => message.includes('/missing.png'));
  expect(missing).toMatchObject({ mechanism: 'resource', type: 'ResourceError' });
  expect(missing?.source).toBe(site.url('/missing.png?token=******'));
  const violations = errors.filter(({ mechanism }) => mechanism === 'csp');
  expect(violations).toHaveLength(1);
  expect(violations[0]?.message).toMatch(/^img-src blocked http:\/\/elsewhere\.invalid/);
  await captured.close();
});

test('errors that came before the script are told with their time', async () => {
  const page = await browser.newPage();
  await page.goto(site.url('/page?early'));
  await page.waitForFunction(() => (window as unknown as { early: Event[] }).early.length > 0, undefined, {
    timeout: PATIENCE_MS,
  });
  // Long enough to tell the error's own time from that of the start.
  await page.waitForTimeout(200);
  const { early, now } = await page.evaluate(() => {
    const kept = (window as unknown as { early: Event[] }).early;
    window.harness.early.push(...kept);
    const before = Date.now();
    window.harness.start();
    return { early: window.harness.signals.find(({ k }) => k === 'error'), now: before };
  });
  expect(early).toMatchObject({ type: 'RangeError', message: 'before the script', mechanism: 'uncaught' });
  expect(now - (early?.t ?? now)).toBeGreaterThanOrEqual(150);
  await page.close();
});

test('debug ids of the scripts that a stack names go along', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(() => {
    Reflect.set(window, '__playheadDebugIds', {
      'Error\n    at https://elsewhere.example/other.js:1:1': 'id-of-another',
    });
  });
  const script = await captured.run(`
    __playheadDebugIds[new Error().stack] = 'id-of-this';
    setTimeout(function broken() { throw new Error('with an id') })`);
  const error = await captured.first('error');
  expect(error.debug_ids).toEqual({ [script]: 'id-of-this' });
  await captured.close();
});

test('a storm of errors is bounded, and what was dropped is told as a gap', async () => {
  // All within one second of the page's clock.
  const captured = await CapturedPage.open(browser, site, { still: true });
  await captured.run("for (let n = 0; n < 200; n++) queueMicrotask(() => { throw new Error('storm ' + n) })");
  await captured.pass(1100);
  expect(await captured.signals('error')).toHaveLength(20);
  expect(await captured.signals('gap')).toMatchObject([{ reason: 'degraded', frame: 'signals' }]);
  await captured.close();
});

test('after the undo nothing is told any more', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(() => window.harness.stop());
  await captured.run("setTimeout(() => { throw new Error('late') })");
  await captured.page.waitForTimeout(100);
  expect(await captured.signals('error')).toEqual([]);
  await captured.close();
});
