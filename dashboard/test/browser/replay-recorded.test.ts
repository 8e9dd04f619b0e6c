import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, readRecorded } from '../fixture/browser';
import { FixtureServer } from '../fixture/server';
import { type Recorded, SessionFixture } from '../fixture/session';

const RECORDER = join(dirname(createRequire(import.meta.url).resolve('@rrweb/record')), 'record.umd.min.cjs');

/** A page with what replays get wrong: sheets with hover rules, constructed sheets, shadow roots, frames, scrolls. */
const PAGE = `<!doctype html><html><head><title>Shop</title><style>
  body { font: 16px sans-serif; margin: 24px; } .item { padding: 6px; border-bottom: 1px solid #ccc; } .item:hover { background: #eef; }
  #list { height: 120px; overflow: auto; } button { font-size: 18px; } @media (min-width: 10px) { h1 { color: rgb(31, 111, 84); } }
</style></head><body><h1>Shop</h1><input id="name"><label><input type="checkbox" id="agree"> agree</label>
<div id="list"></div><button id="add">Add</button><p id="total">0</p><x-price></x-price><iframe id="frame" srcdoc="<p style='color: rgb(200, 0, 0)'>inside</p>"></iframe>
<svg width="60" height="20"><defs><linearGradient id="g"><stop stop-color="red"/></linearGradient></defs><rect width="60" height="20" fill="url(#g)"/></svg>
<script>
  customElements.define('x-price', class extends HTMLElement { constructor() { super(); this.attachShadow({ mode: 'open' }).innerHTML = '<style>b { color: rgb(0, 0, 200) }</style><b>9 €</b>'; } });
  const sheet = new CSSStyleSheet(); sheet.replaceSync('#total { letter-spacing: 3px; }'); document.adoptedStyleSheets = [sheet];
  let n = 0;
  document.getElementById('add').onclick = () => {
    n += 1; const row = document.createElement('div'); row.className = 'item'; row.textContent = 'Item ' + n;
    document.getElementById('list').prepend(row); document.getElementById('total').textContent = String(n);
    if (n === 3) document.querySelector('style').sheet.insertRule('#total { text-decoration: underline; }', 0);
    if (n % 4 === 0) document.getElementById('list').lastChild.remove();
  };
</script></body></html>`;

/** Text and box of everything visible, shadow roots and frames included. Runs in both pages. */
function measure(document: Document): string[] {
  const found: string[] = [];
  const visit = (root: ParentNode): void => {
    for (const element of root.querySelectorAll<HTMLElement>('h1, .item, button, #total, b, p, rect, input')) {
      const { x, y, width, height } = element.getBoundingClientRect();
      const style = (element.ownerDocument.defaultView as Window).getComputedStyle(element);
      const value = 'value' in element ? String((element as HTMLInputElement).value) : '';
      const checked = (element as HTMLInputElement).checked === true ? 'checked' : '';
      const box = [x, y, width, height].map((side) => Math.round(side)).join(',');
      found.push(
        [
          element.localName,
          element.textContent,
          value,
          checked,
          box,
          style.color,
          style.letterSpacing,
          style.textDecorationLine,
        ].join('|'),
      );
    }
    for (const host of root.querySelectorAll('*')) if (host.shadowRoot !== null) visit(host.shadowRoot);
    for (const frame of root.querySelectorAll('iframe'))
      if (frame.contentDocument !== null) visit(frame.contentDocument);
  };
  visit(document);
  return [...found, `scrolled ${String(document.querySelector('#list')?.scrollTop)}`];
}

let browser: Browser;
let server: FixtureServer;
let origin: string;

beforeAll(async () => {
  server = new FixtureServer();
  server.pages.set('/shop', PAGE);
  [browser, origin] = await Promise.all([launchBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

interface Shot {
  at: number;
  measured: string[];
}

/** Drives the page and notes, at several moments, what it looked like. */
async function drive(page: Page): Promise<{ events: Recorded[]; shots: Shot[] }> {
  await page.goto(`${origin}/shop`);
  await page.addScriptTag({ path: RECORDER });
  await page.evaluate(() => {
    const scope = window as unknown as { events: unknown[]; rrwebRecord: { record(options: object): void } };
    scope.events = [];
    scope.rrwebRecord.record({ emit: (event: unknown) => scope.events.push(event), collectFonts: false });
  });
  const shots: Shot[] = [];
  const shoot = async () => {
    // What the recorder holds back for half a second is out, and nothing moves any more.
    let measured: unknown;
    await expect
      .poll(
        async () => {
          await page.waitForTimeout(700);
          const before = JSON.stringify(measured);
          measured = await page.evaluate(`(${measure.toString()})(document)`);
          return JSON.stringify(measured) === before;
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    shots.push({ at: await page.evaluate(() => Date.now()), measured: measured as string[] });
    await page.waitForTimeout(100);
  };
  await shoot();
  for (let press = 0; press < 7; press += 1) await page.click('#add');
  await page.fill('#name', 'Ana');
  await page.check('#agree');
  await shoot();
  await page.evaluate(() => document.querySelector('#list')?.scrollTo(0, 60));
  await shoot();
  await page.evaluate(() =>
    (
      window as unknown as { rrwebRecord: { record: { takeFullSnapshot(checkout: boolean): void } } }
    ).rrwebRecord.record.takeFullSnapshot(true),
  );
  for (let press = 0; press < 5; press += 1) await page.click('#add');
  await page.setViewportSize({ width: 700, height: 600 });
  await shoot();
  return {
    events: (await page.evaluate(() => (window as unknown as { events: unknown[] }).events)) as Recorded[],
    shots,
  };
}

it('a page recorded by rrweb looks the same on the stage, at each moment and from every side', async () => {
  const recordedPage = await browser.newPage({ viewport: { width: 900, height: 700 } });
  const { events, shots } = await drive(recordedPage);
  await recordedPage.close();
  const startedAt = events[0]?.timestamp ?? 0;
  const duration = (events.at(-1)?.timestamp ?? 0) - startedAt + 1000;
  const session = new SessionFixture(
    '7'.repeat(32),
    startedAt,
    duration,
    [{ id: 'r'.padEnd(16, '0'), tab: 1, url: `${origin}/shop`, recorded: events }],
    [],
  );
  server.sessions.set(session.id, session);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const expectShot = async ({ at, measured }: Shot) => {
    await page.goto(`${origin}/p/p0000000000a1/sessions/${session.id}?t=${String(Math.round(at - startedAt))}`);
    await expect.poll(() => readRecorded(page, measure), { timeout: 60_000 }).toEqual(measured);
  };
  for (const shot of shots) await expectShot(shot);
  for (const shot of [...shots].reverse()) await expectShot(shot);
  // Played from the start, across the second key frame, it comes to the same.
  const last = shots.at(-1);
  await page.goto(`${origin}/p/p0000000000a1/sessions/${session.id}?t=0`);
  await page.getByRole('slider').waitFor();
  await page.locator('body').press(']');
  await page.locator('body').press(' ');
  await page.getByRole('button', { name: 'Play again' }).waitFor({ timeout: 60_000 });
  await expect.poll(() => readRecorded(page, measure), { timeout: 60_000 }).toEqual(last?.measured);
  await page.close();
});
