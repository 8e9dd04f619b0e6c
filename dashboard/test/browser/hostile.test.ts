import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../fixture/browser';
import { HOSTILE_AT, PAYLOADS, type Payload } from '../fixture/hostile';
import { element, keyFrame } from '../fixture/recordings';
import { FixtureServer } from '../fixture/server';
import { shopSession, SHOP_ID } from '../fixture/shop';

const ALLOWED = 'https://cdn.allowed.example';

/** A page that frames the stage and passes a recording on, as the Replay page does. */
const HOST = `<!doctype html><iframe id="stage" src="/stage" sandbox="allow-scripts allow-same-origin" style="width:900px;height:600px"></iframe>
<script>
  window.messages = [];
  window.ready = new Promise((resolve) => addEventListener('message', (event) => {
    window.messages.push(event.data);
    if (event.data.kind === 'ready') resolve();
  }));
  window.show = async (id, lines, at, imageHosts) => {
    await window.ready;
    const stage = document.getElementById('stage').contentWindow;
    stage.postMessage({ kind: 'configure', imageHosts }, location.origin);
    const chunk = new TextEncoder().encode(lines).buffer;
    stage.postMessage({ kind: 'open', window: id, at, speed: 4, clockOffset: 0, chunks: [chunk], gaps: [] }, location.origin);
  };
</script>`;

interface Seen {
  requests: string[];
  referrers: string[];
  dialogs: number;
  console: string[];
  popups: number;
  navigations: string[];
}

let browser: Browser;
let server: FixtureServer;
let origin: string;

beforeAll(async () => {
  server = new FixtureServer();
  server.pages.set('/host', HOST);
  server.imageHosts = [ALLOWED];
  [browser, origin] = await Promise.all([launchBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function watch(context: BrowserContext, page: Page): Promise<Seen> {
  const seen: Seen = { requests: [], referrers: [], dialogs: 0, console: [], popups: 0, navigations: [] };
  await context.route(
    (url) => url.origin !== origin,
    async (route) => {
      seen.requests.push(route.request().url());
      seen.referrers.push((await route.request().headerValue('referer')) ?? '');
      await route.abort();
    },
  );
  page.on('dialog', (dialog) => {
    seen.dialogs += 1;
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // Chromium's own remark about the stage's outer frame, whose two tokens rrweb needs.
    if (!message.text().startsWith('An iframe which has both allow-scripts and allow-same-origin'))
      seen.console.push(message.text());
  });
  page.on('pageerror', (error) => seen.console.push(error.message));
  page.on('popup', () => (seen.popups += 1));
  page.on('framenavigated', (frame) => seen.navigations.push(frame.url()));
  return seen;
}

async function ownedAnywhere(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const owned = (window: Window): boolean =>
      'owned' in window ||
      Array.from({ length: window.frames.length }).some((_, index) => owned(window.frames[index] as Window));
    return owned(window);
  });
}

async function play(page: Page, id: number, payload: Payload): Promise<void> {
  const lines = payload.events.map((event) => `${JSON.stringify(event)}\n`).join('');
  await page.evaluate(
    ([window_, text, at, hosts]) =>
      (window as unknown as { show(...args: unknown[]): Promise<void> }).show(window_, text, at, hosts),
    [id, lines, HOSTILE_AT + 50, [ALLOWED]] as const,
  );
  await page.waitForFunction(
    (wanted) => {
      const { messages } = window as unknown as { messages: { kind: string; window?: number; at?: number }[] };
      return messages.some(
        (message) =>
          message.window === wanted &&
          (message.kind === 'failed' || (message.kind === 'position' && (message.at ?? 0) > 1_767_225_600_250)),
      );
    },
    id,
    { timeout: 60_000 },
  );
}

/** What the stage did while all payloads ran, one after another. */
async function playAll(): Promise<Seen & { owned: string[]; failed: string[] }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const seen = await watch(context, page);
  await page.goto(`${origin}/host`);
  const owned: string[] = [];
  const failed: string[] = [];
  for (const [index, payload] of PAYLOADS.entries()) {
    await play(page, index + 1, payload);
    if (await ownedAnywhere(page)) owned.push(payload.name);
    const failure = await page.evaluate(
      (wanted) =>
        (window as unknown as { messages: { kind: string; window?: number; reason?: string }[] }).messages.find(
          (message) => message.window === wanted && message.kind === 'failed',
        )?.reason,
      index + 1,
    );
    if (failure !== undefined) failed.push(`${payload.name}: ${failure}`);
  }
  await page.waitForTimeout(300);
  await context.close();
  return { ...seen, owned, failed };
}

function expectNothingHappened(seen: Awaited<ReturnType<typeof playAll>>): void {
  expect(seen.owned).toEqual([]);
  expect(seen.requests).toEqual([]);
  expect(seen.dialogs).toBe(0);
  expect(seen.popups).toBe(0);
  expect(seen.console).toEqual([]);
  expect(seen.failed).toEqual([]);
  expect(seen.navigations.filter((url) => url !== 'about:blank' && !url.startsWith(origin))).toEqual([]);
}

describe('hostile recordings', () => {
  it('the corpus is as large as promised', () => {
    expect(new Set(PAYLOADS.map((payload) => payload.name)).size).toBeGreaterThanOrEqual(50);
  });

  it('nothing runs and nothing is fetched', async () => {
    server.sendsStagePolicy = true;
    expectNothingHappened(await playAll());
  });

  it('nor would it without the content security policy: the sanitizer alone suffices', async () => {
    server.sendsStagePolicy = false;
    expectNothingHappened(await playAll());
    server.sendsStagePolicy = true;
  });

  it('images of allowed hosts load, without a referrer', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const seen = await watch(context, page);
    await page.goto(`${origin}/host`);
    const body = [
      element('img', { src: `${ALLOWED}/a.png` }),
      element('div', { style: `height:9px;background:url(${ALLOWED}/b.png)` }),
    ];
    await play(page, 1, {
      name: 'allowed',
      events: [
        ...keyFrame(HOSTILE_AT, 'https://shop.example/', body),
        { type: 3, timestamp: HOSTILE_AT + 100, data: { source: 3, id: 1, x: 0, y: 0 } },
      ],
    });
    expect(seen.requests.sort()).toEqual([`${ALLOWED}/a.png`, `${ALLOWED}/b.png`]);
    expect(seen.referrers).toEqual(['', '']);
    await context.close();
  });

  it('the recorded page sits in a frame that allows nothing but its origin', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/host`);
    const [first] = PAYLOADS;
    if (first !== undefined) await play(page, 1, first);
    const stage = await (await page.waitForSelector('#stage')).contentFrame();
    expect(await stage?.locator('.window.shown iframe').getAttribute('sandbox')).toBe('allow-same-origin');
    await context.close();
  });

  it('texts of signals are shown as texts', async () => {
    const html = '<img src=x onerror="top.owned=1;alert(1)"><script>top.owned=1</script>';
    const session = shopSession();
    session.streams.forEach((stream) => (stream.url = `javascript:alert(1)//${html}`));
    session.extra = {
      user: { id: html, email: html, traits: { plan: html } },
      release: html,
      pages: [`javascript:${html}`],
      user_agent: html,
    };
    for (const signal of session.signals) {
      for (const name of ['message', 'type', 'stack', 'url', 'text', 'selector', 'name', 'title'])
        if (name in signal.data) signal.data[name] = html;
      if ('args' in signal.data) signal.data.args = [html];
    }
    server.sessions.set(SHOP_ID, session);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    const seen = await watch(context, page);
    for (const pane of ['events', 'console', 'network', 'errors', 'details']) {
      await page.goto(`${origin}/p/p0000000000a1/sessions/${SHOP_ID}?t=18300&pane=${pane}`);
      await page
        .locator(pane === 'details' ? '.details' : '.row')
        .first()
        .waitFor();
      if (pane !== 'details') await page.locator('.row').first().click();
      expect(await ownedAnywhere(page)).toBe(false);
    }
    expect([seen.dialogs, seen.requests]).toEqual([0, []]);
    expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
    await context.close();
  });
});
