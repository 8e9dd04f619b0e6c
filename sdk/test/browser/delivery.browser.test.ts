import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launch, stopClock } from '../browser.js';
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
  track(name: string, properties?: Record<string, unknown>): void;
  captureError(error: unknown): void;
  stop(): void;
  sessionUrl(): string | undefined;
}
declare const playhead: Playhead;

const open = async (path: string, body: string, attributes = ''): Promise<Page> => {
  collector.page(path, body, { attributes });
  const page = await context.newPage();
  await page.goto(collector.url(path));
  return page;
};
const hasKey = (): boolean => collector.keyFrames() > 0;
const customs = (): string[] => collector.signals('custom').map((signal) => signal.name);

describe('delivery', () => {
  it('sends a page signal first and a key frame that begins its batch', async () => {
    await open('/', '<h1>Hello</h1>');
    await collector.until('a key frame', hasKey);
    const signals = collector.batches.flatMap((batch) => batch.signals);
    expect(signals[0]?.k).toBe('page');
    const keyed = collector.batches.find((batch) => batch.header.dom.key);
    const first = keyed?.dom
      .toString()
      .split('\n')
      .slice(0, 2)
      .map((line) => JSON.parse(line) as { type: number });
    expect(first?.map((event) => event.type)).toEqual([4, 2]);
    expect(collector.batches.map((batch) => batch.header.seq)).toEqual(collector.batches.map((_, index) => index));
    expect(collector.everything()).toContain('Hello');
  });

  it('sends an error at once', async () => {
    await context.clock.install();
    const page = await open('/', 'x', 'data-max-idle-ms="86000000"');
    await collector.until('the start', hasKey);
    // The interval does not end any more, so nothing else can bring it.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.evaluate(() => playhead.captureError(new TypeError('boom')));
    await collector.until('the error', () => collector.signals('error').length === 1);
    expect(collector.signals('error')[0]).toMatchObject({ type: 'TypeError', message: 'boom', mechanism: 'captured' });
  });

  it('delivers after 503s, waits for Retry-After, and counts nothing twice', async () => {
    const times: number[] = [];
    collector.answer = () => {
      times.push(Date.now());
      return times.length <= 2 ? { status: times.length === 1 ? 503 : 429, retryAfterS: 2 } : undefined;
    };
    const page = await open('/', 'x');
    await page.evaluate(() => playhead.track('once'));
    await collector.until('the custom event', () => customs().includes('once'));
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1_990);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(1_990);
    expect(customs()).toEqual(['once']);
    expect(new Set(collector.batches.map((batch) => batch.header.seq)).size).toBe(collector.batches.length);
  });

  it('repeats a batch whose answer was lost under the same number', async () => {
    const seen: number[] = [];
    collector.answer = (batch) => {
      seen.push(batch.header.seq);
      return seen.length === 1 ? 'hang_up' : undefined;
    };
    await open('/', 'x');
    await collector.until('a second attempt', () => collector.batches.length > 0);
    expect(seen[1]).toBe(seen[0]);
  });

  it('survives being offline in the middle', async () => {
    const page = await open('/', '<p id="p">start</p>');
    await collector.until('the start', hasKey);
    await context.setOffline(true);
    await page.evaluate(() => {
      playhead.track('while-offline');
      document.querySelector('#p')!.textContent = 'changed-while-offline';
    });
    await page.waitForTimeout(6_000);
    expect(customs()).not.toContain('while-offline');
    await context.setOffline(false);
    await collector.until('what happened offline', () => customs().includes('while-offline'));
    await collector.until('the picture of it', () => collector.everything().includes('changed-while-offline'));
  });

  it('survives a server that is away at the start', async () => {
    collector.answer = () => 'hang_up';
    const page = await open('/', 'x');
    await page.evaluate(() => playhead.track('early'));
    await page.waitForTimeout(6_000);
    expect(collector.batches).toHaveLength(0);
    collector.answer = () => undefined;
    await collector.until('the early event', () => customs().includes('early') && hasKey());
    expect(collector.signals('page')).toHaveLength(1);
  });

  it('keeps memory bounded while nothing is taken, and tells the gap', async () => {
    const fullGap = () => collector.signals('gap').find((signal) => signal.reason === 'buffer_full');
    let refuse = false;
    collector.answer = () => (refuse ? { status: 503, retryAfterS: 1 } : undefined);
    // By a clock that stands still while the page works, so that no pace of the machine looks like a storm.
    await stopClock(context);
    const page = await open('/', '<div id="root"></div>');
    while (!hasKey()) await page.clock.runFor(500);
    refuse = true;
    for (let round = 0; round < 150; round++) {
      await page.evaluate(() => {
        // Random bytes as text, so that compression does not make it small; letters alone, so that redaction has little to do.
        const random = (): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(45_000))));
        const node = document.createElement('p');
        node.textContent = random() + random();
        document.querySelector('#root')!.replaceChildren(node);
      });
      await page.clock.runFor(60);
    }
    refuse = false;
    await page.clock.resume();
    await collector.until('a gap', () => fullGap() !== undefined);
    const gap = fullGap();
    expect(gap?.frame).toBe('dom');
    expect(gap?.bytes).toBeGreaterThan(0);
    await collector.until('a key frame after the gap', () =>
      collector.batches.some((batch) => batch.header.dom.key && batch.header.from >= (gap?.to ?? Infinity) - 1),
    );
    // Of 18 MB of pictures what was held fits the bound, and a key frame came on top.
    const bytes = collector.batches.reduce((sum, batch) => sum + batch.bodyBytes, 0);
    expect(bytes).toBeLessThan(9 << 20);
  });

  it('waits when the session is over its quota, keeps every signal, and tells which pictures it dropped', async () => {
    const gaps = () => collector.signals('gap').filter((signal) => signal.reason === 'buffer_full');
    let refuse = false;
    let attempts = 0;
    collector.answer = () => {
      if (refuse) attempts += 1;
      return refuse ? { status: 429, retryAfterS: 3 } : undefined;
    };
    await stopClock(context);
    const page = await open('/', '<div id="root"></div>');
    while (!hasKey()) await page.clock.runFor(500);
    refuse = true;
    const marks = Array.from({ length: 150 }, (_, round) => `mark ${round}`);
    for (const mark of marks) {
      await page.evaluate((name) => {
        const random = (): string => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(45_000))));
        const node = document.createElement('p');
        node.textContent = random() + random();
        document.querySelector('#root')!.replaceChildren(node);
        playhead.track(name);
      }, mark);
      await page.clock.runFor(60);
    }
    // Of the page's nine seconds: one attempt in three seconds at most, by the page's clock.
    expect(attempts).toBeGreaterThan(0);
    expect(attempts).toBeLessThanOrEqual(4);
    refuse = false;
    await page.clock.resume();
    await collector.until('every signal', () => customs().length >= marks.length);
    expect(customs()).toEqual(marks);
    await collector.until('the gap', () => gaps().length > 0);
    expect(gaps().every((gap) => gap.frame === 'dom')).toBe(true);
  });

  it('splits a page that fits no batch, and the parts join again', async () => {
    const cell = (row: number): string => `<p class="row">row ${row} äöü ${'lorem ipsum '.repeat(12)}</p>`;
    await open('/', Array.from({ length: 9_000 }, (_, row) => cell(row)).join(''));
    await collector.until('all parts', () => {
      const parts = collector.batches.filter((batch) => batch.header.part);
      return parts.length > 1 && parts.length === parts[0]?.header.part?.[1];
    });
    const parts = collector.batches.filter((batch) => batch.header.part);
    expect(parts.map((batch) => batch.header.part?.[0])).toEqual(parts.map((_, index) => index));
    expect(parts.map((batch) => batch.header.dom.key)).toEqual(parts.map((_, index) => index === 0));
    const seqs = parts.map((batch) => batch.header.seq);
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    expect(Math.max(...parts.map((batch) => batch.bodyBytes))).toBeLessThan(1 << 20);
    const events = collector.events();
    expect(events.slice(0, 2).map((event) => event.type)).toEqual([4, 2]);
    expect(JSON.stringify(events[1])).toContain('row 8999 äöü');
  });

  it('sends the last batch when the page goes, in small requests', async () => {
    const page = await open('/', '<ul id="list"></ul>');
    await collector.until('the start', hasKey);
    const before = collector.batches.length;
    await page.evaluate(() => {
      playhead.track('last-words');
      for (let row = 0; row < 400; row++) {
        const item = document.createElement('li');
        item.textContent = `last row ${row}`;
        document.querySelector('#list')!.append(item);
      }
    });
    collector.page('/next', 'next');
    await page.goto(collector.url('/next'));
    await collector.until('the last words', () => customs().includes('last-words'));
    await collector.until('the last rows', () => collector.everything().includes('last row 399'));
    const stream = collector.batches[0]?.header.stream;
    const late = collector.batches.slice(before).filter((batch) => batch.header.stream === stream);
    expect(Math.max(...late.map((batch) => batch.bodyBytes))).toBeLessThanOrEqual(24 << 10);
  });

  it('leaves what no keepalive request takes to the tab’s next document', async () => {
    const page = await open('/', '<ul id="list"></ul>');
    await collector.until('the start', hasKey);
    collector.answer = () => ({ status: 503, retryAfterS: 1 });
    await page.evaluate(() => {
      const random = (): string =>
        Array.from(crypto.getRandomValues(new Uint8Array(300)), (byte) => byte.toString(36)).join('');
      for (let row = 0; row < 500; row++) {
        const item = document.createElement('li');
        item.textContent = `kept row ${row} ${random()}`;
        document.querySelector('#list')!.append(item);
      }
    });
    collector.page('/next', 'next');
    await page.goto(collector.url('/next'));
    collector.answer = () => undefined;
    await collector.until('what was left behind', () => collector.everything().includes('kept row 499'));
    await collector.until('the next document’s own batches', () => collector.streams().length === 2);
    await page.waitForFunction(() => !Object.keys(sessionStorage).some((name) => name.startsWith('playhead:left')));
  });

  it('stops for this page when the key is not taken', async () => {
    collector.answer = () => ({ status: 401 });
    const page = await open('/', 'x');
    await collector.until('the refusal', () => collector.attempts === 1);
    await page.evaluate(() => playhead.track('into the void'));
    await page.waitForTimeout(6_500);
    expect(collector.attempts).toBe(1);
    expect(await page.evaluate(() => playhead.sessionUrl())).toBeUndefined();
  });

  it('uses the session’s token once there is one, and the key again when it is not taken', async () => {
    collector.sessionAnswer = { token: 'tok-1', expires_in_s: 900, settings: { sample_rate: 1 } };
    let refuseToken = false;
    // Until the token is there nothing gets through, so that the first batch that does must carry it.
    collector.answer = ({ header }) => {
      if (header.token) return refuseToken ? { status: 401 } : undefined;
      return refuseToken ? undefined : { status: 503, retryAfterS: 1 };
    };
    const page = await open('/', 'x');
    await page.evaluate(() => playhead.captureError(new Error('one')));
    await collector.until('the error by token', () => collector.signals('error').length === 1);
    expect(collector.batches.every((batch) => batch.header.token === 'tok-1')).toBe(true);
    refuseToken = true;
    await page.evaluate(() => playhead.captureError(new Error('two')));
    await collector.until('the error by key', () => collector.signals('error').length === 2);
    const second = collector.batches.find(({ signals }) =>
      signals.some((signal) => signal.k === 'error' && signal.message === 'two'),
    );
    expect(second?.header.key).toBe(collector.key);
    expect(collector.sessionCalls.length).toBeGreaterThan(0);
  });
});
