import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch } from '../browser.js';
import { CapturedPage } from './open.js';
import { Site } from './site.js';

const site = new Site();
let browser: Browser;
/** Longer than a page may take to react, and than a burst of clicks lasts. */
const JUDGED_MS = 1900;

beforeAll(async () => {
  await site.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await site.stop();
});

/** A page whose clock the test moves: how far apart clicks and reactions are is then no matter of the machine's pace. */
async function open(html: string): Promise<CapturedPage> {
  const captured = await CapturedPage.open(browser, site, { html, still: true });
  // What opening did is no reaction to anything that follows.
  await captured.pass(1000);
  return captured;
}

test('clicks name the element that is meant, with its text unless that is masked', async () => {
  const captured = await open(`
    <button class="primary"><svg width="20" height="20"><circle r="9" cx="9" cy="9"/></svg><b>Buy</b> now</button>
    <button data-playhead="mask" id="masked">Account 4711</button>
    <div data-playhead="ignore"><button id="ignored">Secret</button></div>
    <label id="label">Agree <input type="checkbox" name="agree"></label>`);
  const { page } = captured;
  await page.click('circle');
  await page.click('#masked');
  await page.click('#ignored');
  await page.click('#label', { position: { x: 5, y: 5 } });
  await page.evaluate(() => document.querySelector<HTMLElement>('.primary')?.click());
  await captured.pass(0);
  const clicks = await captured.signals('click');
  expect(clicks.map(({ selector, text }) => [selector, text])).toEqual([
    ['body > button.primary', 'Buy now'],
    ['button#masked', undefined],
    ['label#label', 'Agree'],
  ]);
  expect(clicks[0]?.x).toBeGreaterThan(0);
  expect(clicks[0]?.id).toMatch(/^[0-9a-f]{16}$/);
  await captured.close();
});

test('inputs name their field and never what is in it', async () => {
  const captured = await open(`
    <label>E-mail <input id="email" name="email"></label>
    <input id="named" aria-label="Search">
    <select id="choice"><option>Top secret</option><option>Public</option></select>
    <div id="editor" contenteditable>Draft</div><button>Away</button>`);
  const { page } = captured;
  await page.fill('#email', 'ada@example.com');
  await page.press('#email', 'Tab');
  await page.fill('#named', 'private');
  await page.press('#named', 'Tab');
  await page.selectOption('#choice', 'Public');
  await page.click('#editor');
  await page.keyboard.type('hidden words');
  const inputs = await captured.atLeast('input', 3);
  expect(inputs.map(({ selector, label }) => [selector, label])).toEqual([
    ['input#email', 'E-mail'],
    ['input#named', undefined],
    ['div#editor', undefined],
  ]);
  expect(JSON.stringify(inputs)).not.toMatch(/ada@|private|Public|hidden words|Top secret/);
  await captured.close();
});

describe('rage clicks', () => {
  test('one signal for a burst, with its count', async () => {
    const captured = await open('<button id="stuck">Stuck</button>');
    for (let count = 0; count < 6; count++) {
      await captured.page.click('#stuck');
      await captured.pass(300);
    }
    expect(await captured.signals('rage_click')).toEqual([]);
    await captured.pass(JUDGED_MS);
    const clicks = await captured.signals('click');
    expect(await captured.signals('rage_click')).toMatchObject([
      { selector: 'button#stuck', text: 'Stuck', count: 6, click: clicks[0]?.id },
    ]);
    await captured.close();
  });

  test('not for slow clicks, clicks far apart, or selecting a paragraph', async () => {
    const captured = await open(
      '<p id="words">Some words to select</p><div style="height:300px;width:300px" id="wide"></div>',
    );
    const { page } = captured;
    await page.click('#words', { clickCount: 3, delay: 5, position: { x: 20, y: 8 } });
    for (const x of [10, 100, 200]) await page.click('#wide', { position: { x, y: 10 } });
    for (let count = 0; count < 3; count++) {
      await captured.pass(700);
      await page.click('#wide', { position: { x: 100, y: 100 } });
    }
    await captured.pass(JUDGED_MS);
    expect(await captured.signals('click')).toHaveLength(9);
    expect(await captured.signals('rage_click')).toEqual([]);
    await captured.close();
  });
});

describe('dead clicks', () => {
  test('a click on what looks clickable and changes nothing', async () => {
    const captured = await open(`
      <button id="dead">Dead</button><div id="pointer" style="cursor:pointer">Looks alive</div><p id="plain">Plain</p>
      <a id="stopped" href="/page" onclick="return false">Stopped</a>`);
    const { page } = captured;
    for (const id of ['dead', 'pointer', 'plain', 'stopped']) {
      await page.click(`#${id}`);
      await captured.pass(100);
    }
    expect(await captured.signals('dead_click')).toEqual([]);
    await captured.pass(JUDGED_MS);
    const dead = await captured.signals('dead_click');
    const clicks = await captured.signals('click');
    expect(dead.map(({ selector, text, click }) => [selector, text, click])).toEqual([
      ['button#dead', 'Dead', clicks[0]?.id],
      ['div#pointer', 'Looks alive', clicks[1]?.id],
      ['a#stopped', 'Stopped', clicks[3]?.id],
    ]);
    await captured.close();
  });

  const alive: Record<string, string> = {
    'changes the page': `<button id="b" onclick="this.textContent='Done'">B</button>`,
    'changes the page later': `<button id="b" onclick="setTimeout(() => this.className = 'x', 800)">B</button>`,
    'reacts when pressed': `<button id="b" onpointerdown="this.dataset.down = 1">B</button>`,
    'changes the address': `<button id="b" onclick="history.pushState(null, '', '?a')">B</button>`,
    'asks the network': `<button id="b" onclick="navigator.sendBeacon('/json')">B</button>`,
    'moves the focus': `<button id="b" onclick="document.querySelector('#f').focus()">B</button><input id="f">`,
    scrolls: `<button id="b" onclick="window.scrollTo(0, 200)">B</button><div style="height:3000px"></div>`,
    'selects text': `<button id="b" onclick="getSelection().selectAllChildren(document.querySelector('h1'))">B</button>`,
    'is a field': `<input id="b" readonly value="1">`,
    'is a label': `<label id="b" style="cursor:pointer">Name <input disabled></label>`,
    'opens another window': `<a id="b" href="/page" target="_blank">B</a>`,
    'is a link to what is no page': `<a id="b" href="/status/204">B</a>`,
    'leaves by a script': `<button id="b" onclick="location.href = '/status/204'">B</button>`,
    downloads: `<a id="b" href="/json" download>B</a>`,
  };
  test.each(Object.entries(alive))('not when the element %s', async (_what, html) => {
    const captured = await open(html);
    await captured.page.click('#b', { force: true });
    await captured.pass(JUDGED_MS);
    expect(await captured.signals('click')).not.toEqual([]);
    expect(await captured.signals('dead_click')).toEqual([]);
    await captured.close();
  });
});
