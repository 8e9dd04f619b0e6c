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

test('the page and its browser come first', async () => {
  const captured = await CapturedPage.open(browser, site, {
    path: '/page?session_token=abc#access_token=def',
    options: { release: 'shop@1.2.3', environment: 'test' },
  });
  const [first] = await captured.page.evaluate(() => window.harness.signals);
  expect(first).toMatchObject({
    k: 'page',
    url: site.url('/page?session_token=******#access_token=******'),
    title: 'A page',
    viewport: [1280, 720],
    dpr: 1,
    language: 'en-US',
    visibility: 'visible',
    release: 'shop@1.2.3',
    environment: 'test',
  });
  expect(first).toMatchObject({
    user_agent: expect.stringContaining('Chrome'),
    sdk: expect.stringMatching(/\d+\.\d+/),
  });
  expect(first).toMatchObject({ time_zone: expect.stringMatching(/\w+/), screen: [1280, 720] });
  expect(first).not.toHaveProperty('referrer');
  await captured.close();
});

test('every way to another address is told once', async () => {
  const captured = await CapturedPage.open(browser, site, { html: '<a id="fragment" href="#part">Part</a>' });
  await captured.page.evaluate(async () => {
    const next = (type: string): Promise<unknown> =>
      new Promise((resolve) => addEventListener(type, resolve, { once: true }));
    history.pushState(null, '', '/page?step=1');
    history.pushState({ same: true }, '', '/page?step=1');
    history.replaceState(null, '', '/page?step=2&password=hunter2');
    const popped = next('popstate');
    history.back();
    await popped;
    const hashed = next('hashchange');
    document.querySelector<HTMLElement>('#fragment')?.click();
    await hashed;
  });
  const moves = await captured.signals('navigation');
  const path = (url: string): string => url.replace(site.url(''), '');
  const told = moves.map(({ how, from, url }) => [how, path(from), path(url)]);
  expect(told.slice(0, 3)).toEqual([
    ['load', '', '/page'],
    ['push', '/page', '/page?step=1'],
    ['replace', '/page?step=1', '/page?step=2&password=******'],
  ]);
  expect(told.slice(3)).toEqual([
    ['pop', '/page?step=2&password=******', '/page?step=1'],
    ['hash', '/page?step=1', '/page?step=1#part'],
  ]);
  expect(moves[0]?.title).toBe('A page');
  await captured.close();
});

test('visibility is told, and what waited for it', async () => {
  const captured = await CapturedPage.open(browser, site);
  const told = await captured.page.evaluate(async () => {
    await fetch('/slow?ms=10');
    const state = { value: 'hidden' };
    Object.defineProperty(document, 'visibilityState', { get: () => state.value, configurable: true });
    const atSend: string[] = [];
    document.addEventListener('visibilitychange', () => atSend.push(...window.harness.signals.map(({ k }) => k)), {
      once: true,
    });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    state.value = 'visible';
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    return atSend;
  });
  // What listens on the document, as the last batch does, already finds it.
  expect(told).toContain('visibility');
  expect(told).toContain('request');
  expect((await captured.signals('visibility')).map(({ state }) => state)).toEqual(['hidden', 'visible']);
  await captured.close();
});

/** Up to the first a value is good, beyond the second poor. */
const LIMITS: Record<string, [number, number]> = {
  FCP: [1800, 3000],
  LCP: [2500, 4000],
  TTFB: [800, 1800],
  CLS: [0.1, 0.25],
  INP: [200, 500],
};

test('web vitals and long tasks, those before the start included', async () => {
  const page = await browser.newPage();
  await page.goto(site.url('/page'));
  await page.evaluate(async () => {
    const block = (ms: number): void => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    };
    await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise((resolve) =>
      setTimeout(() => {
        block(125);
        resolve(undefined);
      }),
    );
    window.harness.start();
    setTimeout(() => block(80));
  });
  await page.waitForFunction(
    () =>
      window.harness.signals.filter(({ k }) => k === 'long_task').length >= 2 &&
      window.harness.signals.filter(({ k }) => k === 'vital').length >= 2,
  );
  const signals = await page.evaluate(() => window.harness.signals);
  const tasks = signals.flatMap((signal) => (signal.k === 'long_task' ? [signal.duration_ms] : []));
  expect(tasks.some((ms) => ms >= 120)).toBe(true);
  const vitals = signals.flatMap((signal) => (signal.k === 'vital' ? [signal] : []));
  expect(vitals.map(({ name }) => name)).toEqual(expect.arrayContaining(['FCP', 'TTFB']));
  for (const { name, value, rating } of vitals) {
    // As web.dev defines them; how quick the page was is the machine's affair.
    const [good, poor] = LIMITS[name] ?? [];
    expect([name, rating]).toEqual([name, value <= good! ? 'good' : value <= poor! ? 'needs-improvement' : 'poor']);
  }
  await page.close();
});

test('everything can be switched off', async () => {
  const off = {
    console: false,
    network: false,
    clicks: false,
    navigation: false,
    vitals: false,
    longTasks: false,
    errors: false,
  };
  const captured = await CapturedPage.open(browser, site, { options: off, html: '<button id="b">B</button>' });
  const isNative = await captured.page.evaluate(async () => {
    console.error(new Error('no'));
    await fetch('/json');
    history.pushState(null, '', '/page?x');
    return Object.getOwnPropertyDescriptor(window, 'fetch')?.value.toString().includes('native');
  });
  await captured.page.click('#b');
  await captured.page.waitForTimeout(300);
  expect(isNative).toBe(true);
  expect(await captured.page.evaluate(() => window.harness.signals.map(({ k }) => k))).toEqual(['page']);
  await captured.close();
});
