// An error of the demo shop becomes an issue, and its page leads to the replay just before it.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../src/chromium.ts';
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
  await page.goto(product.signInLink());
  await page.goto(`${product.url}/p/${project.project_id}/issues`);
  await page.getByRole('link', { name: issue.title }).first().click();
  await page.waitForURL(`**/issues/${issue.id}*`);
  await page.getByText(issue.culprit).first().waitFor();
  const replay = page.locator('a[href*="/sessions/"][href*="t="], a[href*="/replay/"][href*="t="]').first();
  await replay.click();
  await page.locator('iframe').first().waitFor();
});
