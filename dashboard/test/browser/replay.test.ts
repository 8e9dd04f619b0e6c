import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser, recordedText } from '../fixture/browser';
import { clockRecording } from '../fixture/recordings';
import { FixtureServer } from '../fixture/server';
import { SessionFixture } from '../fixture/session';
import { paymentSpans, SHOP_ID, SHOP_ISSUE, shopSession, STARTED_AT } from '../fixture/shop';

let browser: Browser;
let server: FixtureServer;
let origin: string;
let page: Page;

beforeAll(async () => {
  server = new FixtureServer();
  [browser, origin] = await Promise.all([launchBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

beforeEach(async () => {
  server.sessions.clear();
  server.sessions.set(SHOP_ID, shopSession());
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  return () => context.close();
});

const open = async (query: string, session = SHOP_ID) => {
  await page.goto(`${origin}/p/p0000000000a1/sessions/${session}${query}`);
  await page.locator('.track, .state').first().waitFor();
};
const tick = async () => Number(await recordedText(page, '#tick'));
const label = () => recordedText(page, '#label');
const playHead = () => page.getByRole('slider', { name: 'Position in the session' });
const position = async () => Number(await playHead().getAttribute('aria-valuenow'));

/** Waits until what `read` gives passes the test of `expect`. */
async function eventually(check: () => Promise<void>): Promise<void> {
  await expect
    .poll(
      async () =>
        check().then(
          () => true,
          (error: unknown) => String(error),
        ),
      { timeout: 60_000, interval: 50 },
    )
    .toBe(true);
}

/** The newest event of the clock page that is not after `at`. */
const lastTickBefore = (at: number, from = 100) => from + Math.floor((at - from) / 100) * 100;

describe('the moment', () => {
  it.each([0, 101, 4950, 9999, 10_100, 18_250, 31_234, 59_999])(
    'a link to %i ms shows exactly that moment, paused',
    async (at) => {
      await open(`?t=${String(at)}`);
      const expected = at > 26_000 ? lastTickBefore(at, 26_000) : Math.max(100, lastTickBefore(at));
      await eventually(async () => expect(await tick()).toBe(expected));
      expect(await page.getByRole('button', { name: 'Play', exact: true }).count()).toBe(1);
      expect(new URL(page.url()).searchParams.get('t')).toBe(String(at));
    },
  );

  it('a far seek back builds the earlier page again', async () => {
    await open('?t=58000');
    await eventually(async () => expect(await tick()).toBe(58_000));
    await playHead().press('Home');
    await eventually(async () => expect(await tick()).toBe(100));
    await playHead().press('PageUp');
    await eventually(async () => expect(await tick()).toBe(6000));
  });

  it('keeps the moment, the pane and the tab in the address', async () => {
    await open('?t=3000');
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.keyboard.press('Escape');
    await page.locator('body').press('ArrowRight');
    await eventually(async () => {
      const { searchParams } = new URL(page.url());
      expect(searchParams.get('t')).toBe('13000');
      expect(searchParams.get('pane')).toBe('network');
    });
  });
});

describe('playing', () => {
  it('plays on through key frames and segments, and pauses where it is', async () => {
    await open('?t=8500');
    await eventually(async () => expect(await tick()).toBe(8500));
    await page.locator('body').press(' ');
    await eventually(async () => expect(await tick()).toBeGreaterThan(11_000));
    await page.locator('body').press(' ');
    await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
    // The stage hears of the pause a moment later.
    await eventually(async () => {
      const before = await tick();
      await page.waitForTimeout(200);
      expect(await tick()).toBe(before);
    });
    const paused = await tick();
    expect(Math.abs((await position()) - paused)).toBeLessThan(700);
    await page.waitForTimeout(400);
    expect(await tick()).toBe(paused);
  });

  it('plays faster at 16×', async () => {
    await open('?t=26000');
    for (let press = 0; press < 4; press += 1) await page.locator('body').press(']');
    expect(await page.getByRole('button', { name: 'Speed 16×' }).count()).toBe(1);
    await page.locator('body').press(' ');
    await eventually(async () => expect(await page.getByRole('button', { name: 'Play again' }).count()).toBe(1));
    expect(await tick()).toBe(60_000);
  });

  it('tells of a gap and goes on behind it', async () => {
    await open('?t=19000');
    await page.locator('body').press(' ');
    await page.getByText('6.00 s not recorded').waitFor();
    await page.getByText('the browser was offline.').waitFor();
    await eventually(async () => expect(await tick()).toBeGreaterThan(26_000));
  });

  it('skips inactivity, and plays it when asked to', async () => {
    const quiet = new SessionFixture(
      'b'.repeat(32),
      STARTED_AT,
      40_000,
      [
        {
          id: 'q'.padEnd(16, '0'),
          tab: 1,
          url: 'https://x.example/',
          recorded: clockRecording({ startedAt: STARTED_AT, from: 0, to: 40_000, label: 'quiet' }).filter(
            (event) => event.data.source !== 1,
          ),
        },
      ],
      [{ at_ms: 30_000, stream: 'q'.padEnd(16, '0'), kind: 'click', data: { id: 'c', selector: 'a' } }],
    );
    server.sessions.set(quiet.id, quiet);
    await open('?t=1000', quiet.id);
    await eventually(async () => expect(await tick()).toBe(1000));
    await page.locator('body').press(' ');
    await page.getByText('Skipped inactivity').waitFor();
    await eventually(async () => expect(await tick()).toBeGreaterThan(28_000));
  });
});

describe('tabs', () => {
  it('follows the tab in focus unless one is chosen', async () => {
    await open('?t=32000');
    await eventually(async () => expect(await label()).toBe('first'));
    await page.getByRole('slider').press('ArrowUp');
    await open('?t=40000');
    await eventually(async () => expect([await label(), await tick()]).toEqual(['second', 40_000]));
    await page.getByRole('button', { name: 'Tab 1' }).click();
    await eventually(async () => expect([await label(), await tick()]).toEqual(['first', 40_000]));
    await page.getByRole('button', { name: 'Follow' }).click();
    await eventually(async () => expect([await label(), await tick()]).toEqual(['second', 40_000]));
  });
});

describe('a live session', () => {
  it('goes on at the live edge as new parts arrive', async () => {
    const startedAt = Date.now() - 5000;
    const stream = {
      id: 'l'.padEnd(16, '0'),
      tab: 1,
      url: 'https://x.example/',
      // Ends where a segment ends: what has been handed out does not change.
      recorded: clockRecording({ startedAt, from: 0, to: 4950, label: 'live' }),
    };
    const live = new SessionFixture('c'.repeat(32), startedAt, 4950, [stream], []);
    live.state = 'live';
    server.sessions.set(live.id, live);
    await open('', live.id);
    await eventually(async () => expect(await tick()).toBeGreaterThanOrEqual(4400));
    stream.recorded = clockRecording({ startedAt, from: 0, to: 9000, label: 'live' });
    live.durationMs = 9000;
    await eventually(async () => expect(await tick()).toBeGreaterThanOrEqual(8400));
    expect(server.requests.filter((path) => path.includes('/segments/')).length).toBeGreaterThan(1);
  });
});

describe('a session that has not ended, but was not heard of for long', () => {
  it('opens at its start and does not pass for live', async () => {
    const quiet = shopSession();
    quiet.state = 'live';
    server.sessions.set(SHOP_ID, quiet);
    await open('');
    await eventually(async () => expect(await tick()).toBe(100));
    expect(await page.getByRole('note', { name: /^Replay: open\. Last heard/ }).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'go to live' }).count()).toBe(0);
  });
});

describe('without a recording', () => {
  it.each([
    ['not_sampled', 'The page was not recorded'],
    ['recorder_failed', 'The recorder could not run'],
  ] as const)('%s: says so, and the panes still work', async (state, words) => {
    const session = shopSession();
    session.state = state;
    for (const stream of session.streams) stream.recorded = [];
    server.sessions.set(SHOP_ID, session);
    await open('?pane=errors');
    await page.getByText(words).waitFor();
    await page
      .getByRole('button', { name: /order\.receipt is undefined/ })
      .first()
      .click();
    await eventually(async () => expect(Math.abs((await position()) - 18_250)).toBeLessThan(2));
    await page.locator('body').press(' ');
    await eventually(async () => expect(await position()).toBeGreaterThan(19_000));
  });

  it('a deleted session says that it is gone', async () => {
    const session = shopSession();
    session.gone = 'deleted';
    server.sessions.set(SHOP_ID, session);
    await open('');
    await page.getByText('This session was deleted').waitFor();
  });
});

describe('panes', () => {
  it('a link to the errors opens at the first one, which leads to the seconds before it', async () => {
    await open('?pane=errors');
    await page.getByText('showReceipt').first().waitFor();
    await eventually(async () => expect(await position()).toBe(18_250));
    await page.getByText('checkout-3f2a.js:88:23').first().waitFor();
    await page.getByText('PaymentError: gateway answered 502').waitFor();
    await page.getByRole('button', { name: 'Watch the seconds before' }).click();
    await eventually(async () => {
      const at = await tick();
      expect(at).toBeGreaterThanOrEqual(15_700);
      expect(at).toBeLessThan(18_200);
    });
    expect(await page.locator('.track .flag').count()).toBe(1);
  });

  it('a link from an issue opens ten seconds before its error, and leads back to the issue', async () => {
    await open(`?pane=errors&issue=${SHOP_ISSUE}`);
    await eventually(async () => expect(await position()).toBe(8250));
    const issue = page.getByRole('link', { name: 'Open the issue' });
    expect(await issue.getAttribute('href')).toBe(`/p/p0000000000a1/issues/${SHOP_ISSUE}`);
    const others = page.getByRole('link', { name: 'Other sessions with this issue' });
    expect(await others.getAttribute('href')).toBe(`/p/p0000000000a1/sessions?issue=${SHOP_ISSUE}`);
    const stack = page.getByRole('list', { name: 'Stack' }).first();
    expect(await stack.locator('li').count()).toBe(2);
    await page.getByRole('button', { name: 'Show all frames (3)' }).click();
    await stack.getByText('vendor-77ab.js:1:40211').waitFor();
  });

  it('an error that was filtered says why it is part of no issue', async () => {
    await open('?pane=errors&t=31000');
    await page.getByRole('button', { name: /aborted a request/ }).click();
    await page.getByText('Part of no issue: a browser extension threw it.').waitFor();
    expect(await page.getByRole('link', { name: 'Open the issue' }).count()).toBe(0);
  });

  it('a request shows where its time went and which click started it', async () => {
    await open('?pane=network');
    await page.getByRole('button', { name: /authorize/ }).click();
    await page.getByText('backend 1.71 s').waitFor();
    await page.getByText('unknown').first().waitFor();
    await page.getByText('timeout after 1.5 s, 1 retry').waitFor();
    await page.getByRole('button', { name: /click on “Buy 6”/ }).click();
    await eventually(async () => expect(await tick()).toBe(15_300));
  });

  it('a request that took far longer than its endpoint does says so', async () => {
    await open('?pane=network');
    const row = page.getByRole('button', { name: /articles/ });
    await row.getByText('slow', { exact: true }).waitFor();
    await row.click();
    const found = page.getByRole('list', { name: 'What is wrong' });
    await found.getByText('the p95 of its endpoint over the seven days before is 310 ms').waitFor();
    const link = found.getByRole('link', { name: 'Its endpoint' });
    expect(await link.getAttribute('href')).toContain(encodeURIComponent('GET /v2/help/articles'));
    await page.getByRole('button', { name: /authorize/ }).click();
    await found.getByText('Answered with 502 after 2.31 s.').waitFor();
  });

  it('a request goes on in the backend, to the database, whatever the clocks say and spans are called', async () => {
    await open('?pane=network');
    await page.getByRole('button', { name: /authorize/ }).click();
    const without = 'Server-Timing says that the backend took 1.71 s; on what is not known: no spans of this request';
    await page.getByText(without).waitFor();
    server.sessions.get(SHOP_ID)?.spans.push(...paymentSpans());
    await page.reload();
    await page.getByRole('button', { name: /authorize/ }).click();
    const trace = page.getByRole('region', { name: 'Waterfall of the trace' });
    await eventually(async () => expect(await trace.locator('.trace-row').count()).toBe(4));
    const text = await trace.innerText();
    for (const part of [
      'postgresql SELECT total FROM orders WHERE id = ?',
      '1.71 s',
      'failed',
      '<img src=x',
      'than it told, all alike',
    ]) {
      expect(text).toContain(part);
    }
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    const bars = await trace
      .locator('.waterfall-bar')
      .evaluateAll((all) => all.map((bar) => [bar.getBoundingClientRect().left, bar.getBoundingClientRect().right]));
    const [whole, backend, ...inner] = bars as [[number, number], [number, number], ...[number, number][]];
    expect(backend[0]).toBeGreaterThan(whole[0]);
    expect(backend[1]).toBeLessThan(whole[1]);
    for (const [left, right] of inner) expect(left >= backend[0] && right <= backend[1]).toBe(true);
  });

  it('a request of a session with too many spans has those of its trace', async () => {
    const first = paymentSpans()[0];
    if (first === undefined) throw new Error('the fixture has no spans');
    const others = Array.from({ length: 10_000 }, (_, index) => ({
      ...first,
      at_ms: index,
      data: { ...first.data, trace_id: 'another', span_id: String(index) },
    }));
    server.sessions.get(SHOP_ID)?.spans.push(...others, ...paymentSpans());
    await open('?pane=network');
    await page.getByRole('button', { name: /authorize/ }).click();
    const trace = page.getByRole('region', { name: 'Waterfall of the trace' });
    await eventually(async () => expect(await trace.locator('.trace-row').count()).toBe(4));
    await page.getByText('no spans of this request').waitFor({ state: 'detached' });
  });

  it('a list follows the play head until it is scrolled', async () => {
    await open('?pane=console&t=45000');
    await page.locator('.row.now').waitFor();
    await page.locator('.rows').hover();
    await page.mouse.wheel(0, -5000);
    await page.getByRole('button', { name: 'Follow the play head' }).click();
    await page.locator('.row.now').waitFor();
    expect(await page.locator('.row.now').isVisible()).toBe(true);
  });

  it('a search narrows the list', async () => {
    await open('?pane=network');
    await page.locator('body').press('/');
    await page.keyboard.type('coupons');
    await eventually(async () => expect(await page.locator('.row').count()).toBe(1));
  });
});
