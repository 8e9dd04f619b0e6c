import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, recordedText } from '../fixture/browser';
import { clockRecording, element } from '../fixture/recordings';
import { FixtureServer } from '../fixture/server';
import { SessionFixture } from '../fixture/session';
import { STARTED_AT } from '../fixture/shop';

const MINUTES = 8;
const NODES = 7000;
const SEEKS = 12;

let browser: Browser;
let server: FixtureServer;
let origin: string;

beforeAll(async () => {
  server = new FixtureServer();
  [browser, origin] = await Promise.all([launchBrowser(), server.start()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** A page of about seven thousand nodes with styles of its own. */
function largePage() {
  const rows = Array.from({ length: NODES / 7 }, (_, index) =>
    element('div', { class: 'row' }, [
      element('span', { class: 'name' }, [`Row ${String(index)}`]),
      element('a', { href: `https://x.example/${String(index)}` }, ['open']),
      element('b', {}, [String(index * 7)]),
    ]),
  );
  return [element('div', { class: 'list', style: 'font: 12px sans-serif' }, rows)];
}

it('seeks on a long session of a large page show the exact moment each time', async () => {
  const duration = MINUTES * 60_000;
  const recorded = clockRecording({
    startedAt: STARTED_AT,
    from: 0,
    to: duration,
    label: 'large',
    stepMs: 50,
    keyFrameEveryMs: 30_000,
    filler: largePage(),
  });
  const session = new SessionFixture(
    '9'.repeat(32),
    STARTED_AT,
    duration,
    [{ id: 'z'.padEnd(16, '0'), tab: 1, url: 'https://x.example/', recorded }],
    [],
  );
  server.sessions.set(session.id, session);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${origin}/p/p0000000000a1/sessions/${session.id}?t=0`);
  await expect.poll(() => recordedText(page, '#tick'), { timeout: 60_000 }).toBe('0');
  const track = page.getByRole('slider', { name: 'Position in the session' });
  const box = await track.boundingBox();
  if (box === null) throw new Error('no time line');
  for (let seek = 0; seek < SEEKS; seek += 1) {
    const share = ((seek * 7919) % 1000) / 1000;
    await page.mouse.click(box.x + box.width * share, box.y + 8);
    const at = Number(await track.getAttribute('aria-valuenow'));
    await expect
      .poll(async () => Number(await recordedText(page, '#tick')), { timeout: 60_000, interval: 20 })
      .toBe(Math.floor(at / 50) * 50);
  }
  const costs = await page.evaluate(() =>
    performance.getEntriesByName('playhead-first-frame').map((mark) => (mark as PerformanceMark).detail as unknown),
  );
  expect(costs.length).toBeGreaterThan(SEEKS / 2);
  // Read by people; the figure itself is the benchmark's.
  console.info(JSON.stringify(costs));
  await page.close();
});
