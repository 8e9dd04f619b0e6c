import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launch } from '../browser.js';
import { CapturedPage } from './open.js';
import { Site } from './site.js';

const site = new Site();
let browser: Browser;

beforeAll(async () => {
  await site.start();
  browser = await launch();
});

beforeEach(() => {
  site.asked.length = 0;
});

afterAll(async () => {
  await browser?.close();
  await site.stop();
});

const SESSION = 'playhead=0123456789abcdef0123456789abcdef';
const OWN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';

/** The headers with which a path was asked for. */
function headersOf(path: string): Record<string, unknown> {
  const asked = site.asked.filter((each) => each.path === path && each.method !== 'OPTIONS');
  expect(asked).toHaveLength(1);
  return asked[0]?.headers ?? {};
}

test('requests of the page’s own origin join a trace of their own', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(async () => {
    await fetch('/status/201', { headers: { 'x-own': 'a' }, method: 'POST', body: 'text' });
    await fetch(new URL('/status/202', location.href));
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/status/203');
      xhr.setRequestHeader('X-Own', 'b');
      xhr.onloadend = resolve;
      xhr.send();
    });
  });
  const requests = await captured.atLeast('request', 3);
  const seen = new Set<unknown>();
  for (const [path, own] of [
    ['/status/201', 'a'],
    ['/status/202', undefined],
    ['/status/203', 'b'],
  ] as const) {
    const { traceparent, tracestate, 'x-own': kept } = headersOf(path);
    const request = requests.find(({ url }) => url.endsWith(path));
    expect(traceparent).toBe(`00-${request?.trace_id}-${request?.span_id}-01`);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect([tracestate, kept]).toEqual([SESSION, own]);
    seen.add(request?.trace_id);
  }
  expect(seen.size).toBe(3);
  expect(site.bodies.at(-1)).toBe('text');
  await captured.close();
});

test('a trace that the page has begun goes on', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(async (own) => {
    await fetch('/status/201', { headers: [['traceparent', own]] });
    await fetch('/status/202', { headers: new Headers({ traceparent: own, tracestate: 'other=1' }) });
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/status/203');
      xhr.setRequestHeader('traceparent', own);
      xhr.onloadend = resolve;
      xhr.send();
    });
  }, OWN);
  const requests = await captured.atLeast('request', 3);
  for (const { trace_id, span_id } of requests) {
    expect([trace_id, span_id]).toEqual(['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']);
  }
  const states = ['/status/201', '/status/202', '/status/203'].map((path) => {
    const { traceparent, tracestate } = headersOf(path);
    expect(traceparent).toBe(OWN);
    return tracestate;
  });
  expect(states).toEqual([SESSION, 'other=1', SESSION]);
  await captured.close();
});

test('what the page gave is not changed, and says the same to the browser', async () => {
  const captured = await CapturedPage.open(browser, site, { path: '/page?of=this' });
  const seen = await captured.page.evaluate(async () => {
    const request = new Request('/status/201', {
      method: 'POST',
      body: new Blob(['from a request']),
      headers: { 'x-own': 'a' },
      referrerPolicy: 'no-referrer',
    });
    await fetch(request);
    const init = Object.freeze({ method: 'POST', body: 'from an init', headers: Object.freeze({ 'x-own': 'b' }) });
    await fetch('/status/202', init);
    const headers = new Headers({ 'x-own': 'c' });
    await fetch('/status/203', { headers, referrer: '/page?other' });
    const abort = new AbortController();
    const aborted = fetch(new Request('/never', { signal: abort.signal })).catch((error: Error) => error.name);
    abort.abort();
    return {
      request: [...request.headers.keys()],
      used: request.bodyUsed,
      headers: [...headers.keys()],
      aborted: await aborted,
    };
  });
  expect(seen).toEqual({ request: ['x-own'], used: true, headers: ['x-own'], aborted: 'AbortError' });
  expect(headersOf('/status/201')).toMatchObject({ 'x-own': 'a', tracestate: SESSION });
  expect(headersOf('/status/201')).not.toHaveProperty('referer');
  expect(headersOf('/status/202')).toMatchObject({
    'x-own': 'b',
    tracestate: SESSION,
    referer: site.url('/page?of=this'),
  });
  expect(headersOf('/status/203')).toMatchObject({
    'x-own': 'c',
    tracestate: SESSION,
    referer: site.url('/page?other'),
  });
  expect(site.bodies.slice(-2)).toEqual(['from a request', 'from an init']);
  await captured.close();
});

test('other origins get nothing unless they are listed', async () => {
  const captured = await CapturedPage.open(browser, site);
  const other = site.url('/status/201', 1);
  await captured.page.evaluate((url) => fetch(url), other);
  expect(headersOf('/status/201')).not.toHaveProperty('traceparent');
  expect(headersOf('/status/201')).not.toHaveProperty('tracestate');
  expect(site.asked.map(({ method }) => method)).not.toContain('OPTIONS');
  expect(await captured.first('request')).not.toHaveProperty('trace_id');
  await captured.close();

  const options = { traceOrigins: [site.url('', 1)], traceSampled: false };
  const listed = await CapturedPage.open(browser, site, { options });
  site.asked.length = 0;
  await listed.page.evaluate((url) => fetch(url), other);
  const { trace_id, span_id } = await listed.first('request');
  expect(headersOf('/status/201')).toMatchObject({ traceparent: `00-${trace_id}-${span_id}-00`, tracestate: SESSION });
  await listed.close();
});

test('nothing is added where the page wants none, or where none could come through', async () => {
  const off = await CapturedPage.open(browser, site, { options: { traceOrigins: false } });
  await off.page.evaluate(() => fetch('/status/201'));
  expect(headersOf('/status/201')).not.toHaveProperty('traceparent');
  await off.close();

  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(async () => {
    await fetch('/status/202', { mode: 'no-cors' });
    class Odd {
      get method() {
        return 'PUT';
      }
    }
    await fetch('/status/203', new Odd());
  });
  const requests = await captured.atLeast('request', 2);
  expect(requests.map(({ trace_id }) => trace_id)).toEqual([undefined, undefined]);
  expect(site.asked.filter(({ path }) => path === '/status/203').map(({ method }) => method)).toEqual(['PUT']);
  await captured.close();
});
