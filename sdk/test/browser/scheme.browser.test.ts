// The colours that the user asked for are part of the picture: the page's media queries depend on them.
import { expect, it } from 'vitest';
import { launch } from '../browser.js';
import { Collector } from '../collector.js';

it('tells the colours with each key frame, and takes one when they change', async () => {
  const collector = new Collector();
  const browser = await launch();
  try {
    await collector.start();
    collector.page('/', '<main>page</main>');
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.goto(collector.url('/'));
    await collector.until('the first key frame', () => collector.keyFrames() === 1);
    await page.emulateMedia({ colorScheme: 'light' });
    await collector.until('the second key frame', () => collector.keyFrames() === 2);
    const told = collector.events().filter(({ type }) => type === 4);
    expect(told.map(({ data }) => data.color_scheme)).toEqual(['dark', 'light']);
  } finally {
    await browser.close();
    await collector.stop();
  }
});
