// An error of the demo shop becomes an issue, and its page leads to the replay just before it.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn, startChromium } from '../src/chromium.ts';
import { demoProject, startProduct, until, type Product, type Project } from '../src/product.ts';

let product: Product;
let chromium: Browser;
let project: Project;

async function issues(): Promise<any[]> {
  const answer = await fetch(`${product.url}/api/v1/projects/${project.project_id}/issues`, {
    headers: { authorization: `Bearer ${project.secret_key}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as any).issues;
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

test('the same error of two visits is one issue of two sessions, which opens its replay', async () => {
  for (let visit = 0; visit < 2; visit += 1) {
    const visitor = await (await chromium.newContext()).newPage();
    await visitor.goto(`${product.url}/demo`);
    await visitor.click('#uncaught-error');
    await until('the issue', async () => (await issues()).find((issue) => issue.sessions > visit));
    await visitor.context().close();
  }
  const [issue, ...others] = await issues();
  expect(others).toEqual([]);
  expect([issue.sessions, issue.state, issue.handled]).toEqual([2, 'new', false]);

  const page = await (await chromium.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await signIn(page, product);
  await page.goto(`${product.url}/p/${project.project_id}/issues`);
  await page.getByRole('link', { name: issue.title }).first().click();
  await page.waitForURL(`**/issues/${issue.id}*`);
  await page.getByText(issue.culprit).first().waitFor();
  const replay = page.locator('a[href*="/sessions/"][href*="t="], a[href*="/replay/"][href*="t="]').first();
  await replay.click();
  await page.locator('iframe').first().waitFor();
});

test('two issues are made one in the list, and split again on the page', async () => {
  const visitor = await (await chromium.newContext()).newPage();
  await visitor.goto(`${product.url}/demo`);
  await visitor.click('#uncaught-error');
  await visitor.click('#rejected-promise');
  const sessions = (list: any[]) => list.reduce((sum, issue) => sum + issue.sessions, 0);
  await until('both issues', async () => sessions(await issues()) === 4);
  await visitor.context().close();
  const before = await issues();
  const events = before.reduce((sum, issue) => sum + issue.events, 0);

  const page = await (await chromium.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await signIn(page, product);
  await page.goto(`${product.url}/p/${project.project_id}/issues`);
  for (const { title } of before) await page.getByLabel(`Select ${title}`).check();
  await page.getByRole('button', { name: /^Merge/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Merge', exact: true }).click();
  const [whole, ...rest] = (await until('one issue', async () => {
    const now = await issues();
    return now.length === 1 ? now : undefined;
  })) as any[];
  expect(rest).toEqual([]);
  expect([whole.events, whole.merged]).toEqual([events, 1]);
  // Two visitors had the first, and the third both: nobody counts twice.
  expect([whole.users, whole.users_exact]).toEqual([3, true]);

  await page.locator('.issue-link').first().click();
  await page.getByRole('heading', { name: 'Merged with 1 issue' }).waitFor();
  await until('its sessions', async () => (await page.locator('.issue-session').count()) === 3);
  await page.getByRole('button', { name: /^Split off/ }).click();
  await until('two issues', async () => (await issues()).length === 2);
  const after = await issues();
  const counts = (list: any[]) => list.map(({ id, events, users }) => [id, events, users]).sort();
  expect(counts(after)).toEqual(counts(before));
  await page.context().close();
});
