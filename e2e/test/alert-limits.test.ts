// The demo shop's API breaks: a rule about its error share tells a web hook, whose message leads to the endpoint and to a replay of a
// request that failed.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn, startChromium } from '../src/chromium.ts';
import { ADMIN_TOKEN, demoProject, startProduct, until, type Product, type Project } from '../src/product.ts';
import { startReceiver, type Receiver } from '../src/receiver.ts';

const RULE = 'Orders fail';
const ENDPOINT = 'POST /demo/api/orders/fail';
let receiver: Receiver;
let product: Product;
let chromium: Browser;
let project: Project;
let page: Page;

beforeAll(async () => {
  receiver = await startReceiver();
  product = await startProduct({ env: { PLAYHEAD_QUERY_API__OUTBOUND_ALLOW: '["127.0.0.1"]' } });
  chromium = await startChromium();
  project = await demoProject(product);
  page = await (await chromium.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await signIn(page, product);
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
  receiver?.close();
});

async function makeChannel() {
  const answer = await fetch(`${product.url}/api/v1/projects/${project.project_id}/alerts/channels`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Receiver', settings: { kind: 'webhook', url: receiver.url } }),
  });
  expect(answer.status).toBe(201);
}

test('an endpoint that fails is told, with a way to its requests', async () => {
  await makeChannel();
  await page.goto(`${product.url}/p/${project.project_id}/alerts/rules/new`);
  await page.getByRole('radio', { name: /^A slow or failing endpoint/ }).check();
  await page.getByText('It would not have fired.').waitFor();
  await page.getByLabel('Name', { exact: true }).fill(RULE);
  await page.getByLabel('Endpoint', { exact: true }).fill(ENDPOINT);
  await page.getByLabel('At least', { exact: true }).fill('50');
  await page.getByLabel('Over when below').fill('20');
  await page.getByLabel('Not with fewer than').fill('3');
  await page.getByText(`When the error share of ${ENDPOINT} is at least 50 % within 15 minutes.`).waitFor();
  await page
    .getByRole('group', { name: 'Tells', exact: true })
    .getByRole('checkbox', { name: /^Receiver/ })
    .check();
  await page.getByRole('button', { name: 'Create rule' }).click();
  await page.getByRole('switch', { name: `${RULE} is on` }).waitFor();

  const visitor = await (await chromium.newContext()).newPage();
  await visitor.goto(`${product.url}/demo`);
  for (let each = 0; each < 4; each += 1) {
    const answered = visitor.waitForResponse((response) => response.url().endsWith('/demo/api/orders/fail'));
    await visitor.click('#failing-request');
    await answered;
  }
  const { message: triggered } = await until('the message', async () =>
    receiver.received.find(({ message }) => message.transition === 'triggered' && message.rule === RULE),
  );
  await visitor.context().close();
  expect(triggered.title).toBe(`High error share of ${ENDPOINT}`);

  await page.goto(triggered.links.subject);
  await page.getByText(ENDPOINT).first().waitFor();
  await page.goto(triggered.links.replay);
  await page.locator('.request-row').filter({ hasText: '/demo/api/orders/fail' }).first().waitFor();

  await page.goto(triggered.links.rule);
  const row = page.getByRole('row', { name: RULE });
  await row.getByText('open', { exact: true }).waitFor();
  await row.getByText('Receiver · told').waitFor();
  expect(new URL(triggered.links.subject).pathname).toBe(
    `/p/${project.project_id}/endpoints/${encodeURIComponent(ENDPOINT)}`,
  );

  // The preview of what happened says so.
  await page.goto(`${product.url}/p/${project.project_id}/alerts/rules/${triggered.links.rule.split('rule=')[1]}`);
  await page.getByText('It would have fired 1 time.').waitFor();
});
