import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../browser.js';
import { Collector } from '../collector.js';

let browser: Browser;
let context: BrowserContext;
let collector: Collector;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  collector = new Collector();
  await collector.start();
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await collector.stop();
});

interface Playhead {
  start(options?: Record<string, unknown>): void;
  stop(): void;
  track(name: string): void;
  captureError(error: unknown): void;
  sessionUrl(): string | undefined;
}
declare const playhead: Playhead;

const keyFrames = (): number => collector.keyFrames();
const stub = (): string =>
  readFileSync(new URL('../../dist/stub.txt', import.meta.url), 'utf8')
    .replace('__ORIGIN__', collector.url(''))
    .replace('__KEY__', collector.key);

const open = async (path: string, host?: string): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(collector.url(path, host));
  return page;
};

describe('the host page', () => {
  it('records a page of another origin than the script’s', async () => {
    const html = `<!doctype html><script defer src="${collector.url('/sdk/playhead.js')}" data-key="${collector.key}"></script><p>far`;
    collector.pages.set('/', { html });
    await open('/', 'shop.localhost');
    await collector.until('a key frame', () => keyFrames() === 1);
    expect(collector.everything()).toContain('far');
  });

  it('warns once of attributes that should be numbers, and records as without them', async () => {
    const wrong =
      'data-sample-rate="x" data-on-error-sample-rate="2" data-signal-sample-rate=" " data-max-idle-ms="soon"';
    const html = `<!doctype html><script defer src="${collector.url('/sdk/playhead.js')}" data-key="${collector.key}" ${wrong}></script><p>far`;
    collector.pages.set('/', { html });
    const page = await context.newPage();
    const warned: string[] = [];
    page.on('console', (message) => message.type() === 'warning' && warned.push(message.text()));
    await page.goto(collector.url('/'));
    await collector.until('a key frame', () => keyFrames() === 1);
    await page.evaluate(() => {
      playhead.stop();
      playhead.start();
    });
    await collector.until('a second recording', () => keyFrames() === 2);
    expect(warned.filter((text) => text.includes('playhead'))).toEqual([
      '[playhead] sampleRate must be a number from 0 to 1, not "x": it is ignored',
      '[playhead] onErrorSampleRate must be a number from 0 to 1, not 2: it is ignored',
      '[playhead] signalSampleRate must be a number from 0 to 1, not " ": it is ignored',
      '[playhead] maxIdleMs must be a number of milliseconds, 1 or more, not "soon": it is ignored',
    ]);
    const rates = collector.batches.map(({ header }) => header.rates);
    expect(rates).toContainEqual({ dom: 1, dom_on_error: 0, signals: 1 });
  });

  it('takes what the inline stub caught: early calls and early errors', async () => {
    const html = `<!doctype html><html><head>${stub()}<script>
      playhead.identify({ id: 'u1', email: 'u1@example.com' });
      playhead.track('early-call', { n: 1 });
      throw new TypeError('early-error');
    </script></head><body>x</body></html>`;
    collector.pages.set('/', { html });
    await open('/', 'shop.localhost');
    await collector.until('the early error', () => collector.signals('error').length === 1);
    await collector.until('the early calls', () => collector.signals('custom').length === 1);
    expect(collector.signals('error')[0]).toMatchObject({
      message: 'early-error',
      mechanism: 'uncaught',
      handled: false,
    });
    expect(collector.signals('identify')[0]).toMatchObject({ id: 'u1', email: 'u1@example.com' });
    expect(collector.signals('custom')[0]).toMatchObject({ name: 'early-call', properties: { n: 1 } });
  });

  it('works under a strict policy with a nonce, without a worker', async () => {
    const html = `<!doctype html><html><head>${stub().replace('<script>', '<script nonce="n0nce">')}</head><body><h1>strict</h1></body></html>`;
    const policy = `default-src 'none'; script-src 'nonce-n0nce' 'strict-dynamic'; connect-src ${collector.url('')}; worker-src 'none'`;
    collector.pages.set('/', { html, headers: { 'Content-Security-Policy': policy } });
    await open('/', 'shop.localhost');
    await collector.until('a key frame', () => keyFrames() === 1);
    expect(collector.everything()).toContain('strict');
    const reasons = (): string[] => collector.signals('degraded').map((signal) => signal.reason);
    await collector.until('the notice', () => reasons().includes('worker_blocked'));
    expect(collector.signals('error')).toEqual([]);
    // Compressed all the same.
    expect(collector.batches.some((batch) => batch.header.dom.enc === 'deflate')).toBe(true);
  });

  it('sends something even without CompressionStream', async () => {
    collector.page('/', `<p>${'plain '.repeat(500)}</p>`);
    const page = await context.newPage();
    await page.addInitScript(() => Reflect.deleteProperty(window, 'CompressionStream'));
    await page.goto(collector.url('/'));
    await collector.until('a key frame', () => keyFrames() === 1);
    // By the zlib of the recorder's chunk.
    expect(collector.batches.find((batch) => batch.header.dom.key)?.header.dom.enc).toBe('deflate');
  });

  it('restores everything that it patched when it stops', async () => {
    const html = `<!doctype html><html><head><script>
      window.natives = () => [
        window.fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send, window.WebSocket, navigator.sendBeacon,
        history.pushState, history.replaceState, console.log, console.error, window.onerror, Element.prototype.attachShadow,
        CSSStyleSheet.prototype.insertRule, CSSStyleDeclaration.prototype.setProperty,
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set,
        Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set,
      ];
      window.before = window.natives();
    </script>${collector.tag()}</head><body><input id="i"></body></html>`;
    collector.pages.set('/', { html });
    const page = await open('/');
    await collector.until('the recording', () => keyFrames() === 1);
    const changed = (): Promise<number> =>
      page.evaluate(() => {
        const { natives, before } = window as unknown as { natives: () => unknown[]; before: unknown[] };
        return natives().filter((value, index) => value !== before[index]).length;
      });
    expect(await changed()).toBeGreaterThan(3);
    await page.evaluate(() => playhead.stop());
    expect(await changed()).toBe(0);
    // The last batches go side by side.
    const isOver = (): boolean => collector.batches.some((batch) => batch.header.end === true);
    await collector.until(
      'the end',
      () => isOver() && collector.streams().every((stream) => collector.isWhole(stream)),
    );
    expect(collector.signals('end').map((signal) => signal.reason)).toEqual(['stop']);
    const sent = collector.batches.length;
    await page.evaluate(() => {
      document.body.append('after the stop');
      console.log('after the stop');
      playhead.track('after the stop');
    });
    await page.waitForTimeout(6_000);
    expect(collector.batches.length).toBe(sent);
    expect(await page.evaluate(() => localStorage.length)).toBe(0);
  });

  it('starts anew after a stop, in another session', async () => {
    collector.page('/', 'x');
    const page = await open('/');
    await collector.until('the first', () => keyFrames() === 1);
    await page.evaluate(() => {
      playhead.stop();
      playhead.start();
    });
    await collector.until('the second', () => keyFrames() === 2);
    expect(collector.sessions()).toHaveLength(2);
  });

  it('throws nothing into a page that calls it wrongly', async () => {
    collector.page('/', 'x', { attributes: 'data-manual' });
    const page = await open('/');
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.evaluate(() => {
      const wild = playhead as unknown as Record<string, (...values: unknown[]) => void>;
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      for (const method of [
        'identify',
        'track',
        'captureError',
        'start',
        'stop',
        'identify',
        'track',
        'captureError',
      ]) {
        for (const value of [undefined, null, 1, 'text', Symbol('s'), circle, () => 1]) wild[method]?.(value, value);
      }
      playhead.start({ key: 'nonsense' });
      playhead.start();
      for (const value of [undefined, null, 1n, Symbol('s'), circle]) wild.track?.('wild', { value });
      playhead.track('fine');
    });
    await collector.until('what was right', () => collector.signals('custom').some((signal) => signal.name === 'fine'));
    expect(errors).toEqual([]);
  });

  it('degrades in a mutation storm, says so, and resumes with a key frame', async () => {
    collector.page('/', '<div id="root"></div>');
    const page = await open('/');
    await collector.until('the start', () => keyFrames() === 1);
    await page.evaluate(() => {
      const fragment = document.createDocumentFragment();
      for (let row = 0; row < 20_000; row++) {
        const cell = document.createElement('i');
        cell.append(document.createElement('b'));
        fragment.append(cell);
      }
      document.querySelector('#root')!.append(fragment);
      setTimeout(() => document.querySelector('#root')!.replaceChildren('calm again'), 500);
    });
    await collector.until('the notice', () => collector.signals('degraded').length > 0);
    expect(collector.signals('degraded').map(({ reason }) => reason)).toContain('mutation_storm');
    await collector.until('the resumption', () => keyFrames() === 2);
    await collector.until('the gap', () =>
      collector.signals('gap').some((gap) => gap.reason === 'degraded' && gap.frame === 'dom'),
    );
    expect(collector.everything()).toContain('calm again');
    // None of the twenty thousand was worked on.
    expect(collector.everything().length).toBeLessThan(400_000);
  });
});
