// The newcomer's first minutes: click around in the demo shop, find the session, jump from the error to the moment.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn, startChromium } from '../src/chromium.ts';
import { stageOf, boxesOfStage } from '../src/likeness.ts';
import { demoProject, events, pause, startProduct, until, type Product, type Project } from '../src/product.ts';

let product: Product;
let chromium: Browser;
let project: Project;
let session: any;

async function sessions(query = ''): Promise<any[]> {
  const answer = await fetch(`${product.url}/api/v1/projects/${project.project_id}/sessions?limit=50${query}`, {
    headers: { authorization: `Bearer ${project.secret_key}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as any).items;
}

beforeAll(async () => {
  product = await startProduct();
  chromium = await startChromium();
  project = await demoProject(product);
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

test('what is printed at the start is enough to begin', () => {
  const printed = product.output();
  expect(printed).toMatch(/\/sign-in\?token=\S+/);
  expect(printed).toMatch(/<script/);
  expect(printed).toContain(project.public_key);
  expect(printed).toMatch(/\/demo/);
});

test('everything that happens in the demo shop is on the time line', async () => {
  const page = await chromium.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${product.url}/demo`);
  await page.waitForSelector('#uncaught-error');
  // By its first batch every part of the SDK is there.
  const { id } = await until('the first batch', async () => (await sessions())[0]);
  const seen = async (kind: string) => (await events(product, project, id, kind)).length > 0;
  await until('the page on the time line', () => seen('page'));
  await page.waitForLoadState('networkidle');
  for (const id of ['uncaught-error', 'rejected-promise', 'failing-request', 'websocket', 'console-error']) {
    await page.click(`#${id}`);
    await pause(250);
  }
  // One call for all: between calls a busy machine may take longer than rage does.
  await page.click('#rage-target', { clickCount: 5, delay: 20 });
  await page.click('#dead-click');
  // The page must not change before the click is known to be a dead one.
  await until('the dead click', () => seen('dead_click'));
  await page.click('#slow-request');
  const live = await until('a live session in the list', async () =>
    (await sessions()).find((s) => s.counts.errors > 0),
  );
  expect(live.state).toBe('live');
  await until('the slow request', async () =>
    (await events(product, project, id, 'request')).some((event) => event.data.slow === true),
  );
  await page.close();

  const kinds = async () => {
    const found = await events(product, project, live.id);
    const has = (kind: string, test: (data: any) => boolean = () => true) =>
      found.some((e) => e.kind === kind && test(e.data));
    const missing = Object.entries({
      page: has('page'),
      uncaught: has('error', (e) => e.mechanism === 'uncaught'),
      rejection: has('error', (e) => e.mechanism === 'unhandledrejection'),
      console: has('console', (e) => e.level === 'error'),
      failed: has('request', (e) => e.failed === true && e.status === 502),
      slow: has('request', (e) => e.slow === true),
      websocket: has('websocket', (e) => e.op === 'message'),
      click: has('click'),
      rage: has('rage_click'),
      dead: has('dead_click'),
      vital: has('vital'),
    }).filter(([, there]) => !there);
    if (missing.length) throw new Error(`missing: ${missing.map(([name]) => name).join(', ')}`);
    return found;
  };
  const all = await until('every kind on the time line', kinds);
  const ats = all.map((e) => e.at_ms);
  expect(ats).toEqual([...ats].sort((a, b) => a - b));
  expect(new Set(all.map((e) => e.id)).size).toBe(all.length);
  session = (await sessions()).find((s) => s.id === live.id);
  expect(session.counts).toMatchObject({ rage_clicks: 1 });
  expect(session.browser.name).toMatch(/Chrom/);
});

test('filters find the session, and only it when they should', async () => {
  expect((await sessions('&has_errors=true')).map((s) => s.id)).toContain(session.id);
  expect((await sessions('&has_failed_requests=true')).map((s) => s.id)).toContain(session.id);
  expect((await sessions(`&session_id=${session.id}`)).map((s) => s.id)).toEqual([session.id]);
  expect(await sessions('&has_errors=false')).toEqual([]);
  expect(await sessions('&min_duration_ms=86000000')).toEqual([]);
  expect(await sessions('&browser=Firefox')).toEqual([]);
  expect(await sessions('&user=nobody')).toEqual([]);
  expect((await sessions('&page=/demo*')).map((s) => s.id)).toContain(session.id);
});

async function signedIn(): Promise<Page> {
  const page = await chromium.newPage({ viewport: { width: 1440, height: 900 } });
  await signIn(page, product);
  expect(page.url()).not.toContain('token');
  return page;
}

test('from the list to the error to the moment', async () => {
  const page = await signedIn();
  await page.waitForSelector(`a[href*="${session.id}"]`);
  await page.click(`a[href*="${session.id}"]`);
  await page.waitForURL(new RegExp(session.id));
  await page.getByRole('tab', { name: /Errors/ }).click();
  const errors = await events(product, project, session.id, 'error');
  const uncaught = errors.find((e) => e.data.mechanism === 'uncaught');
  await page.getByText(uncaught.data.message, { exact: false }).first().click();
  await until('the recorded shop on the stage', async () => {
    const texts = await boxesOfStage(page);
    return texts.some((box) => /make something happen/i.test(box.text)) || undefined;
  });
  const t = Number(new URL(page.url()).searchParams.get('t'));
  expect(t).toBeGreaterThan(uncaught.at_ms - 5_000);
  expect(t).toBeLessThanOrEqual(uncaught.at_ms + 100);
  const stage = await stageOf(page);
  expect(await stage.evaluate(() => document.querySelector('iframe')?.getAttribute('sandbox'))).toBe(
    'allow-same-origin',
  );
  await page.close();
});

test('a link to a moment opens at that moment, and a stranger sees the sign-in page', async () => {
  const page = await signedIn();
  await page.goto(`${product.url}/p/${project.project_id}/sessions/${session.id}?t=2000`);
  await until('the stage', async () => (await boxesOfStage(page)).length > 0 || undefined);
  expect(new URL(page.url()).searchParams.get('t')).toBe('2000');
  await page.close();
  const stranger = await (await chromium.newContext()).newPage();
  await stranger.goto(`${product.url}/p/${project.project_id}/sessions/${session.id}?t=2000`);
  await stranger.waitForURL(/sign-in/);
  expect(await stranger.content()).not.toContain(project.public_key);
  await stranger.close();
});

test('a second start finds everything again', async () => {
  const port = Number(new URL(product.url).port);
  expect(await product.stop()).toBe(0);
  product = await startProduct({ data: product.data, port });
  const found = (await sessions()).find((s) => s.id === session.id);
  expect(found.counts.errors).toBe(session.counts.errors);
  const manifest: any = await (
    await fetch(`${product.url}/api/v1/projects/${project.project_id}/sessions/${session.id}/replay`, {
      headers: { authorization: `Bearer ${project.secret_key}` },
    })
  ).json();
  expect(manifest.streams[0].segments.length).toBeGreaterThan(0);
});
