import type { Browser, BrowserContext } from 'playwright-core';
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
  track(name: string): void;
  captureError(error: unknown): void;
}
declare const playhead: Playhead;

/** Each secret names the place it was planted in, so that a leak says where it came from. */
const secret = (place: string): string => `SECRET-${place}-zq`;
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJ6cXoifQ.SECRETjwtzq';
const CARD = '4111 1111 1111 1111';

const body = `
  <meta name="csrf-token" content="${secret('meta-csrf')}">
  <meta name="session" content="${secret('meta-other')}">
  <noscript>${secret('noscript')}</noscript>
  <script type="application/json">{"s":"${secret('script-text')}"}</script>
  <!-- ${secret('comment')} -->
  <div id="handlers" onclick="'${secret('inline-handler')}'" data-api-key="${secret('data-key')}"
       data-auth-token="${secret('data-token')}" data-blob="a1${'Zq9'.repeat(12)}SECRET-data-opaque">handlers</div>
  <p>${JWT} paid with ${CARD}, password=${secret('text-pair')}</p>
  <a id="link" href="/x?access_token=${secret('href')}&page=2#id_token=${secret('fragment')}">link</a>
  <img src="/none.png?api_key=${secret('img-src')}" srcset="/none2.png?token=${secret('srcset')} 2x" alt="picture">
  <form id="form" action="/pay?session_id=${secret('action')}">
    <input id="text" value="${secret('value-attribute')}" placeholder="${secret('placeholder')}" title="${secret('title')}" aria-label="${secret('aria')}">
    <input id="cleared" value="${secret('cleared-field')}">
    <input type="hidden" name="h" value="${secret('hidden')}">
    <input type="radio" name="r" value="${secret('radio')}" checked>
    <input type="checkbox" name="c" value="${secret('checkbox')}" checked>
    <input id="password" type="password" value="${secret('password')}">
    <input id="shown" type="password" data-playhead="allow" value="${secret('shown-password')}">
    <input id="card" data-playhead="allow" autocomplete="cc-number" value="${secret('card-field')}">
    <input id="otp" data-playhead="allow" name="otp_code" value="${secret('otp')}">
    <input id="allowed" data-playhead="allow" name="city" value="allowed-city-value">
    <select id="select"><option>Pick</option><option value="${secret('option-value')}" label="${secret('option-label')}">${secret('option-text')}</option></select>
    <textarea id="area">${secret('textarea')}</textarea>
    <textarea id="cleared-area">${secret('cleared-area')}</textarea>
    <datalist><option value="${secret('datalist')}"></datalist>
    <button type="button" value="${secret('button-value')}">Go</button>
  </form>
  <div id="editable" contenteditable>${secret('editable')}</div>
  <section data-playhead="mask" id="masked">
    <p id="masked-text">${secret('masked-text')}</p>
    <img alt="${secret('masked-alt')}" title="${secret('masked-title')}" src="data:image/gif;base64,SECRETmaskedimagezq">
    <a href="/p?who=${secret('masked-href')}" data-name="${secret('masked-data')}">x</a>
    <button id="masked-button">${secret('masked-button')}</button>
    <svg><text>${secret('masked-svg')}</text><title>${secret('masked-svg-title')}</title></svg>
  </section>
  <section data-playhead="block" id="blocked"><p>${secret('blocked-text')}</p><input value="${secret('blocked-input')}"></section>
  <section data-playhead="ignore"><input id="ignored" value=""></section>
  <iframe id="frame" srcdoc="<p data-playhead='mask'>${secret('frame-masked')}</p><input value='${secret('frame-input')}'>"></iframe>
  <div id="host" data-playhead="mask"></div>
  <div id="blocked-host" data-playhead="block"></div>
  <div id="visible">visible-page-text</div>
`;

/** What happens on the page after the first key frame: every way in which a value can change. */
function act([jwt, card]: [string, string]): void {
  const place = (name: string): string => `SECRET-${name}-zq`;
  const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
  element('handlers').setAttribute('data-secret-later', place('later-data'));
  element('handlers').setAttribute('onmouseover', place('later-handler'));
  element('link').setAttribute('href', `/y?token=${place('later-href')}`);
  element('text').setAttribute('value', place('later-value-attribute'));
  element('text').setAttribute('placeholder', place('later-placeholder'));
  element('text').setAttribute('aria-label', place('later-aria'));
  element<HTMLInputElement>('text').value = place('later-value');
  element('area').textContent = place('later-textarea-text');
  element('editable').append(document.createTextNode(place('later-editable')));
  element('masked-text').firstChild!.nodeValue = place('later-masked-text');
  element('masked').insertAdjacentHTML(
    'beforeend',
    `<b title="${place('later-title')}">${place('later-added')}</b><input value="${place('later-input')}">`,
  );
  element('blocked').insertAdjacentHTML('beforeend', `<b>${place('later-blocked')}</b>`);
  element('blocked').querySelector('p')!.firstChild!.nodeValue = place('later-blocked-text');
  // "Show the password": the field becomes an ordinary one.
  element('shown').setAttribute('type', 'text');
  element<HTMLInputElement>('shown').value = place('shown-later');
  element<HTMLInputElement>('cleared').value = '';
  element<HTMLTextAreaElement>('cleared-area').value = '';
  element('host').attachShadow({ mode: 'open' }).innerHTML =
    `<p>${place('shadow-masked')}</p><input value="${place('shadow-input')}">`;
  const blockedRoot = element('blocked-host').attachShadow({ mode: 'open' });
  blockedRoot.innerHTML = `<p>${place('shadow-blocked')}</p>`;
  setTimeout(() =>
    blockedRoot.append(Object.assign(document.createElement('i'), { textContent: place('shadow-blocked-later') })),
  );
  console.log(`login with password=${place('console')} and ${jwt}`, { apiKey: place('console-object'), card });
  console.error(new Error(`token: ${place('console-error')}`));
  void fetch(`/api?token=${place('fetch-query')}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${place('fetch-header')}`, 'X-Api-Key': place('fetch-key') },
    body: place('fetch-body'),
  });
  const request = new XMLHttpRequest();
  request.open('GET', `/xhr?access_token=${place('xhr-query')}`);
  request.setRequestHeader('Authorization', place('xhr-header'));
  request.send();
  history.pushState({}, '', `/page?code=${place('push-query')}#access_token=${place('push-fragment')}`);
  playhead.captureError(new Error(`failed with api_key=${place('error-message')} for ${jwt}`));
  setTimeout(() => {
    throw new Error(`secret=${place('uncaught')} card ${card}`);
  });
}

describe('privacy', () => {
  it('lets no planted secret out, by pictures or by signals', async () => {
    collector.page('/', body, { attributes: '' });
    const page = await context.newPage();
    await page.goto(collector.url(`/?token=${secret('page-query')}#access_token=${secret('page-fragment')}`));
    await collector.until('the first key frame', () => collector.keyFrames() > 0);
    await page.evaluate(act, [JWT, CARD] as [string, string]);
    await page.fill('#text', secret('typed'));
    await page.fill('#password', secret('typed-password'));
    await page.fill('#card', '4242424242424242');
    await page.fill('#ignored', secret('typed-ignored'));
    await page.fill('#allowed', 'another-allowed-value');
    await page.selectOption('#select', { index: 1 });
    await page.click('#editable');
    await page.keyboard.type(secret('typed-editable'));
    await page.click('#masked-button');
    await page.fill('#text', '');
    // A second document: its first key frame comes after all that, with whatever the browser restored.
    await page.evaluate(() => (document.title = 'before reload'));
    await page.waitForTimeout(1_000);
    await page.evaluate(() => history.replaceState({}, '', '/'));
    await page.reload();
    await page.fill('#cleared', '');
    await collector.until('the second document', () => collector.streams().length === 2);
    // The streams' numbers have no holes, and the last word of the second is there: so is all that came before.
    await page.evaluate(() => playhead.track('last-word'));
    await collector.until(
      'all of both documents',
      () =>
        collector.signals('custom').some(({ name }) => name === 'last-word') &&
        collector.streams().every((stream) => collector.keyFrames(stream) > 0 && collector.isWhole(stream)),
    );

    const everything = collector.everything();
    const leaks = [...new Set(everything.match(/SECRET[\w-]*?zq|SECRET[\w-]{0,30}/g) ?? [])];
    expect(leaks).toEqual([]);
    for (const number of ['4111', '4242424242424242', 'eyJzZWNyZXQiOiJ6cXoifQ'])
      expect(everything).not.toContain(number);
    // The test would also pass on an empty recording.
    for (const kept of ['visible-page-text', 'allowed-city-value', 'another-allowed-value', 'handlers', 'page=2']) {
      expect(everything).toContain(kept);
    }
    expect(collector.signals('request').length).toBeGreaterThanOrEqual(2);
    expect(collector.signals('error').length).toBeGreaterThanOrEqual(2);
  });

  it('masks a field anew in a key frame that is forced after clearing it', async () => {
    collector.page('/', `<input id="f" value="${secret('markup')}"><p id="p">x</p>`, { attributes: 'data-manual' });
    const page = await context.newPage();
    // The recorder's clock is advanced so that a key frame falls due.
    await page.goto(collector.url('/'));
    await page.evaluate(() => {
      const real = Date.now.bind(Date);
      const monotonic = performance.now.bind(performance);
      const state = window as unknown as { skipMs: number };
      state.skipMs = 0;
      Date.now = () => real() + state.skipMs;
      performance.now = () => monotonic() + state.skipMs;
      (window as unknown as { playhead: { start(): void } }).playhead.start();
    });
    await collector.until('the first key frame', () => collector.keyFrames() > 0);
    await page.evaluate(() => {
      (document.querySelector('#f') as HTMLInputElement).value = '';
      (window as unknown as { skipMs: number }).skipMs = 31_000;
      const text = 'much has happened on this page '.repeat(400);
      for (let index = 0; index < 5; index++) {
        document.querySelector('#p')!.insertAdjacentHTML('beforeend', `<span>${text}</span>`);
      }
      return new Promise((resolve) => setTimeout(resolve, 50)).then(() =>
        document.querySelector('#p')!.replaceChildren('again'),
      );
    });
    await collector.until(
      'the second key frame',
      () => collector.events().filter((event) => event.type === 2).length >= 2,
    );
    expect(collector.everything()).not.toContain('SECRET');
    const frames = collector.batches.filter((batch) => batch.header.dom.key);
    for (const frame of frames)
      expect(JSON.parse(frame.dom.toString().split('\n')[0] ?? '')).toMatchObject({ type: 4 });
  });

  it('masks every text when the page asks for it', async () => {
    collector.page(
      '/',
      `<h1 title="${secret('title')}">${secret('heading')}</h1><button>${secret('button')}</button>`,
      {
        attributes: 'data-mask="all"',
      },
    );
    const page = await context.newPage();
    await page.goto(collector.url('/'));
    await collector.until('the key frame', () => collector.keyFrames() > 0);
    await collector.untilLate();
    await page.click('button');
    await page.evaluate(() => playhead.captureError(new Error('now')));
    await collector.until('the click', () => collector.signals('click').length === 1);
    expect(collector.everything()).not.toContain('SECRET');
    expect(collector.signals('click')[0]?.text).toBeUndefined();
  });
});
