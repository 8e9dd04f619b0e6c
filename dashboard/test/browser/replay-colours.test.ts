import { expect, it } from 'vitest';
import { launchBrowser, readRecorded } from '../fixture/browser';
import { element, keyFrame, pointerMove } from '../fixture/recordings';
import { FixtureServer } from '../fixture/server';
import { SessionFixture } from '../fixture/session';

const STARTED_AT = 1_700_000_000_000;
const CSS =
  'p { color: rgb(1, 1, 1) } @media (prefers-color-scheme: dark) { p { color: rgb(250, 250, 250); font-size: 30px } }';

function page(at: number, scheme?: string) {
  const style = element('style', { _cssText: CSS });
  const events = keyFrame(STARTED_AT + at, 'https://shop.example/', [element('p', {}, ['Shop'])], [style]);
  if (scheme !== undefined) Object.assign(events[0]?.data ?? {}, { color_scheme: scheme });
  return [...events, pointerMove(STARTED_AT + at + 500, 100, 100)];
}

it('the page sees the colours that its user had asked for, and not those of whoever watches', async () => {
  const server = new FixtureServer();
  const recorded = [...page(0, 'dark'), ...page(10_000, 'light'), ...page(20_000), ...page(30_000, 'dark')];
  const stream = { id: 'c'.repeat(16), tab: 1, url: 'https://shop.example/', recorded };
  const session = new SessionFixture('c'.repeat(32), STARTED_AT, 32_000, [stream], []);
  server.sessions.set(session.id, session);
  const [browser, origin] = await Promise.all([launchBrowser(), server.start()]);
  try {
    // An emulated scheme would reach into every frame.
    const context = await browser.newContext({ colorScheme: null });
    const watched = await context.newPage();
    const looks = [
      [1000, 'rgb(250, 250, 250)'],
      [11_000, 'rgb(1, 1, 1)'],
      [21_000, 'rgb(1, 1, 1)'],
      [31_000, 'rgb(250, 250, 250)'],
    ] as const;
    for (const [at, colour] of looks) {
      await watched.goto(`${origin}/p/p0000000000a1/sessions/${session.id}?t=${String(at)}`);
      const shown = () =>
        readRecorded(watched, (document) => {
          const text = document.querySelector('p');
          return text === null ? null : document.defaultView?.getComputedStyle(text).color;
        });
      await expect.poll(shown, { timeout: 60_000 }).toBe(colour);
    }
  } finally {
    await browser.close();
    await server.stop();
  }
});
