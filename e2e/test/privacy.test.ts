// Secrets planted all over a page, recorded with the defaults: none of them is in what is stored, opened or sealed.
import { execFileSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../src/chromium.ts';
import { letItSend } from '../src/moments.ts';
import { call, createProject, events, pause, read, startProduct, until, type Product } from '../src/product.ts';
import { startSite } from '../src/site.ts';

let product: Product;
let chromium: Browser;

beforeAll(async () => {
  product = await startProduct({ demo: false });
  chromium = await startChromium();
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

const secret = (where: string): string => `SECRET${where.replace(/\W/g, '')}9f3c`;

const PAGE = `<!doctype html><html><head><title>Account</title>
<meta name="csrf-token" content="${secret('meta')}"></head><body><h1>Visible heading</h1>
<form action="/save?token=${secret('formquery')}">
<input id="text" value="${secret('textvalue')}" placeholder="${secret('placeholder')}" title="${secret('title')}" aria-label="${secret('aria')}">
<input type="hidden" name="csrf" value="${secret('hidden')}">
<input type="radio" name="r" value="${secret('radio')}"><input type="checkbox" name="c" value="${secret('checkbox')}">
<input type="password" id="password" value="${secret('password')}"><input id="card" autocomplete="cc-number" data-playhead="allow" value="4111111111111111">
<textarea id="area">${secret('textarea')}</textarea>
<select><option value="${secret('optionvalue')}">${secret('optiontext')}</option></select>
<input type="submit" value="Save">
</form>
<div contenteditable id="editable">${secret('editable')}</div>
<p data-playhead="mask" id="masked">${secret('maskedtext')}</p>
<div data-playhead="block"><b>${secret('blocked')}</b></div>
<button id="go" onclick="window.go()">Go</button><a href="/next?access_token=${secret('linktoken')}#${secret('fragment')}">Next</a>
<script>window.go = () => {
  console.log('token=' + '${secret('consoletoken')}', {password: '${secret('consolepassword')}'});
  fetch('/api?api_key=${secret('requestquery')}', {headers: {authorization: 'Bearer ${secret('authorization')}', 'x-api-key': '${secret('apikey')}'}, method: 'POST', body: '${secret('body')}'});
  history.pushState({}, '', '/page?session_token=${secret('navigation')}');
};</script></body></html>`;

test('nothing planted is stored', async () => {
  const project = await createProject(product);
  const tag = `<script defer src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"></script>`;
  const site = await startSite([], { '/index.html': PAGE }, tag);
  const page = await chromium.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => 'playhead' in window);
  const first = await until('the session', async () => (await read(product, project, '/sessions?limit=1')).items[0]);
  const recorded = (kind: string) => events(product, project, first.id, kind);
  await until('the page on the time line', async () => (await recorded('page')).length > 0);
  const typed = secret('typed');
  await page.fill('#text', typed);
  await page.fill('#password', secret('typedpassword'));
  await page.fill('#card', '5500005555555559');
  await page.fill('#area', secret('typedarea'));
  await page.click('#editable');
  await page.keyboard.type(secret('typededitable'));
  await page.click('#masked');
  await page.click('#go');
  await pause(500);
  await page.fill('#text', '');
  // A reload makes a key frame of the page after the field was cleared and filled again.
  await page.evaluate((value) => document.querySelector('#text')!.setAttribute('value', value), secret('restored'));
  await letItSend(page, product, project);
  await page.goto('about:blank');
  await until('the end of the page', async () =>
    (await recorded('visibility')).some((event) => event.data.state === 'hidden'),
  );
  const session = (await read(product, project, '/sessions?limit=1')).items[0];
  await page.close();
  await site.close();

  let opened = JSON.stringify(session);
  opened += await (
    await call(product, `/api/v1/projects/${project.project_id}/sessions/${session.id}/events?limit=1000`, {
      token: project.secret_key,
    })
  ).text();
  const manifest = await read(product, project, `/sessions/${session.id}/replay`);
  opened += JSON.stringify(manifest);
  for (const stream of manifest.streams) {
    for (const segment of stream.segments) {
      opened += await (await call(product, segment.href, { token: project.secret_key })).text();
    }
  }
  expect(opened).toContain('Visible heading');
  expect(opened.match(/SECRET\w+|4111111111111111|5500005555555559/g) ?? []).toEqual([]);
  const raw = (): string => {
    try {
      return execFileSync('grep', ['-rlaE', 'SECRET[a-z]+9f3c|4111111111111111', product.data]).toString();
    } catch {
      return '';
    }
  };
  expect(raw()).toBe('');
});
