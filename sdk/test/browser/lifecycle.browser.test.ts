import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launch, launchProfile } from '../browser.js';
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
  version?: string;
  start(options?: Record<string, unknown>): void;
  stop(): void;
  track(name: string): void;
  sessionUrl(): string | undefined;
}
declare const playhead: Playhead;

const visit = async (page: Page, path = '/', host?: string): Promise<void> => {
  await page.goto(collector.url(path, host));
};
const streams = (): string[] => collector.streams();
const keyFrames = (stream?: string): number => collector.keyFrames(stream);
const tabOf = (stream: string): number =>
  collector.batches.find((batch) => batch.header.stream === stream)?.header.tab ?? -1;
const track = (page: Page, name: string): Promise<void> => page.evaluate((text) => playhead.track(text), name);
const tracked = (name: string): boolean => collector.signals('custom').some((signal) => signal.name === name);

describe('life cycle', () => {
  it('keeps the session and the tab over a reload, with a stream for each document', async () => {
    collector.page('/', 'x');
    const page = await context.newPage();
    await visit(page);
    await collector.until('the first document', () => keyFrames() === 1);
    await page.reload();
    await collector.until('the second document', () => streams().length === 2 && keyFrames(streams()[1]) === 1);
    expect(collector.sessions()).toHaveLength(1);
    expect(streams().map(tabOf)).toEqual([1, 1]);
  });

  it('counts several tabs of one session', async () => {
    collector.page('/', 'x');
    for (let tab = 0; tab < 3; tab++) {
      const page = await context.newPage();
      await visit(page);
      await collector.until(`tab ${tab + 1}`, () => streams().length === tab + 1);
    }
    expect(collector.sessions()).toHaveLength(1);
    expect(streams().map(tabOf)).toEqual([1, 2, 3]);
  });

  it('gives a duplicated tab, which copies sessionStorage, a number and a stream of its own', async () => {
    collector.page('/', 'x');
    const page = await context.newPage();
    await visit(page);
    await collector.until('the original', () => streams().length === 1);
    // What a browser does at "duplicate tab": a new tab with a copy of the original's sessionStorage.
    const [copy] = await Promise.all([
      context.waitForEvent('page'),
      page.evaluate(() => {
        window.open(location.href);
      }),
    ]);
    await copy.waitForLoadState();
    expect(await copy.evaluate(() => Object.keys(sessionStorage).some((name) => name.startsWith('playhead:tab')))).toBe(
      true,
    );
    await collector.until('the copy', () => streams().length === 2);
    expect(collector.sessions()).toHaveLength(1);
    expect(streams().map(tabOf)).toEqual([1, 2]);
  });

  it('begins another session after the idle limit, with a page signal and a full snapshot', async () => {
    collector.page('/', '<p id="p">x</p>');
    // Half an hour passes by the page's clock alone.
    await context.clock.install();
    const page = await context.newPage();
    await visit(page);
    await collector.until('the first session', () => keyFrames() === 1);
    await page.clock.fastForward('29:00');
    expect(collector.signals('end')).toEqual([]);
    await page.clock.fastForward('02:00');
    await collector.until('its end', () => collector.signals('end').some((signal) => signal.reason === 'idle'));
    await page.mouse.move(50, 50);
    await collector.until('the second session', () => collector.sessions().length === 2 && keyFrames() === 2);
    const second = collector.batches.find(
      ({ header }) => header.session === collector.sessions()[1] && header.seq === 0,
    );
    expect(second?.signals[0]?.k).toBe('page');
    expect(streams()).toHaveLength(2);
  });

  it('goes on in the same session on visible after hidden', async () => {
    collector.page('/', 'x', { attributes: 'data-max-idle-ms="86000000"' });
    await context.clock.install();
    const page = await context.newPage();
    await visit(page);
    await collector.until('the start', () => keyFrames() === 1);
    // From here on no interval of the page's ends.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    const setVisibility = (state: string): Promise<void> =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'visibilityState', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await track(page, 'before-hidden');
    await setVisibility('hidden');
    // At once, not after the interval.
    await collector.until('what came before', () => tracked('before-hidden'));
    await page.clock.resume();
    await setVisibility('visible');
    await track(page, 'after-visible');
    await collector.until('what comes after', () => tracked('after-visible'));
    expect(collector.sessions()).toHaveLength(1);
    expect(streams()).toHaveLength(1);
    const seqs = collector.batches.map((batch) => batch.header.seq);
    expect(new Set(seqs).size).toBe(seqs.length);
  });

  it('lives through the back-forward cache with one stream', async () => {
    const profile = await launchProfile();
    try {
      collector.page('/', '<a href="/other">go</a>');
      collector.pages.set('/other', { html: '<!doctype html><p>other, not recorded</p>' });
      const page = await profile.context.newPage();
      await visit(page);
      await collector.until('the start', () => keyFrames() === 1);
      await page.evaluate(() =>
        addEventListener('pageshow', (event) => event.persisted && setTimeout(() => playhead.track('back-again'))),
      );
      await page.click('a');
      await page.waitForURL('**/other');
      // Playwright does not follow a page into the cache and out again; the page speaks for itself.
      await page.evaluate(() => void setTimeout(() => history.back()));
      await collector.until('what comes after', () => tracked('back-again'));
      expect(streams()).toHaveLength(1);
      expect(collector.signals('navigation').some((signal) => signal.how === 'bfcache')).toBe(true);
    } finally {
      await profile.close();
    }
  });

  it('shares a session between subdomains when asked to, and not otherwise', async () => {
    const shop = 'a.shop.localhost';
    const account = 'b.shop.localhost';
    collector.page('/', 'x', { attributes: 'data-cookie-domain="shop.localhost"' });
    const page = await context.newPage();
    await visit(page, '/', shop);
    await collector.until('the first subdomain', () => streams().length === 1);
    await visit(page, '/', account);
    await collector.until('the second subdomain', () => streams().length === 2);
    expect(collector.sessions()).toHaveLength(1);

    collector.page('/auto', 'x', { attributes: 'data-cross-subdomain' });
    collector.page('/apart', 'x');
    await visit(page, '/auto', shop);
    await collector.until('the found domain', () => streams().length === 3);
    expect(collector.sessions()).toHaveLength(1);
    await visit(page, '/apart', shop);
    await collector.until('a page without the option', () => streams().length === 4);
    expect(collector.sessions()).toHaveLength(2);
  });

  it('records with one session per document where storage is blocked, and says so', async () => {
    const headers = { 'Content-Security-Policy': 'sandbox allow-scripts' };
    collector.page('/', 'x', { headers });
    const page = await context.newPage();
    await visit(page);
    await collector.until('the first document', () => keyFrames() === 1);
    await page.reload();
    await collector.until('the second document', () => keyFrames() === 2);
    expect(collector.sessions()).toHaveLength(2);
    expect(collector.signals('degraded').map((signal) => signal.reason)).toContain('storage_blocked');
  });

  it('stores and sends nothing before a manual start', async () => {
    collector.page('/', 'x', { attributes: 'data-manual' });
    const page = await context.newPage();
    await visit(page);
    await page.waitForTimeout(1_000);
    expect(collector.attempts + collector.sessionCalls.length).toBe(0);
    const stored = (): Promise<number> =>
      page.evaluate(() => localStorage.length + sessionStorage.length + document.cookie.length);
    expect(await stored()).toBe(0);
    await page.evaluate(() => playhead.start());
    await collector.until('the recording', () => keyFrames() === 1);
    expect(await stored()).toBeGreaterThan(0);
  });

  it('waits while a page is prerendered', async () => {
    collector.page('/', 'x', { attributes: '' });
    const page = await context.newPage();
    await page.addInitScript(() => {
      Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
    });
    await visit(page);
    await page.waitForTimeout(1_000);
    expect(collector.attempts).toBe(0);
    await page.evaluate(() => {
      Object.defineProperty(document, 'prerendering', { value: false, configurable: true });
      document.dispatchEvent(new Event('prerenderingchange'));
    });
    await collector.until('the recording', () => keyFrames() === 1);
  });

  it('holds the last minute back until an error, in the unsampled sessions', async () => {
    collector.page('/', '<p id="p">before</p>', { attributes: 'data-sample-rate="0" data-on-error-sample-rate="1"' });
    const page = await context.newPage();
    await visit(page);
    await page.evaluate(() => (document.querySelector('#p')!.textContent = 'shortly before'));
    await collector.until('signals', () => collector.signals('page').length === 1);
    expect(collector.batches.every((batch) => batch.dom.length === 0 && !batch.header.sampled)).toBe(true);
    await page.waitForTimeout(500);
    await page.evaluate(() => void setTimeout(() => Promise.reject(new Error('late trouble'))));
    await collector.until('the pictures', () => keyFrames() === 1);
    expect(collector.everything()).toContain('shortly before');
    expect(collector.batches.some((batch) => batch.header.sampled)).toBe(true);
    // The session stays promoted: its next page is recorded from the start.
    await page.reload();
    await collector.until('the next page', () => streams().length === 2 && keyFrames(streams()[1]) === 1);
  });

  it('sends signals but no pictures of a session that is not sampled', async () => {
    collector.page('/', 'x', { attributes: 'data-sample-rate="0"' });
    const page = await context.newPage();
    await visit(page);
    await track(page, 'seen');
    await collector.until('the signal', () => tracked('seen'));
    expect(collector.batches.every((batch) => batch.dom.length === 0)).toBe(true);
    expect(collector.batches[0]?.header).toMatchObject({
      sampled: false,
      rates: { dom: 0, dom_on_error: 0, signals: 1 },
    });
  });

  it('links to the moment', async () => {
    collector.page('/', 'x');
    const page = await context.newPage();
    await visit(page);
    const url = (await page.evaluate(() => playhead.sessionUrl())) ?? '';
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/p\/[0-9a-z]{13}\/sessions\/[0-9a-f]{32}\?t=\d+$/);
    await collector.until('a batch', () => collector.batches.length > 0);
    expect(url).toContain(collector.sessions()[0]);
  });
});
