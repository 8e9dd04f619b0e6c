// A rule that is written in the dashboard tells a web hook of the demo shop's error; its message leads to the issue, and the
// dashboard shows the alert until somebody has taken it on.
import { createHmac } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn, startChromium } from '../src/chromium.ts';
import { demoProject, startProduct, until, type Product, type Project } from '../src/product.ts';
import { startReceiver, type Received, type Receiver } from '../src/receiver.ts';

const RULE = 'Anything new breaks';
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

const told = (transition: string) =>
  until(`the message that it is ${transition}`, async () =>
    receiver.received.find(({ message }) => message.transition === transition && message.rule === RULE),
  );

function expectSigned({ headers, body }: Received, secret: string) {
  const [, time = '', signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['playhead-signature'])) ?? [];
  expect(createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')).toBe(signature);
}

test('an error of the demo fires a rule, and its message leads to the issue', async () => {
  // A channel, tried.
  await page.getByRole('link', { name: 'Alerts', exact: true }).click();
  await page.getByRole('heading', { name: 'Nothing has fired' }).waitFor();
  await page.getByRole('link', { name: 'Set up a channel' }).click();
  await page.getByRole('button', { name: 'New channel' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Receiver');
  await dialog.getByLabel('Kind').selectOption('webhook');
  await dialog.getByLabel('Address').fill(receiver.url);
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  // The form has a field of that name, too.
  const secret = await page.locator('pre[aria-label="Signing secret"]').innerText();
  expect(secret).toMatch(/^whsec_/);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Send a test to Receiver' }).click();
  await page.getByText('Delivered: the answer is 204').waitFor();
  expect(receiver.received.map(({ message }) => message.transition)).toEqual(['test']);

  // A rule that tells it.
  await page.getByRole('link', { name: 'Rules', exact: true }).click();
  await page.getByRole('link', { name: 'New rule' }).click();
  await page.getByRole('radio', { name: /^A new issue/ }).check();
  await page.getByText('It would not have fired.').waitFor();
  await page.getByLabel('Name', { exact: true }).fill(RULE);
  await page
    .getByRole('group', { name: 'Tells', exact: true })
    .getByRole('checkbox', { name: /^Receiver/ })
    .check();
  await page.getByRole('button', { name: 'Create rule' }).click();
  await page.getByRole('switch', { name: `${RULE} is on` }).waitFor();

  const visitor = await (await chromium.newContext()).newPage();
  await visitor.goto(`${product.url}/demo`);
  await visitor.click('#uncaught-error');
  const triggered = await told('triggered');
  await visitor.context().close();
  expectSigned(triggered, secret);
  expect(triggered.headers['idempotency-key']).toBe(triggered.message.id);

  const { title, links } = triggered.message;
  await page.goto(links.subject);
  await page.waitForURL(new RegExp(`/p/${project.project_id}/issues/[0-9a-f]{32}`));
  await page.getByText(title).first().waitFor();

  // What the message calls its rule shows the alert.
  await page.goto(links.rule);
  const row = page.getByRole('row', { name: title });
  await row.getByText('open', { exact: true }).waitFor();
  await row.getByText('Receiver · told').waitFor();
  expect(await page.locator('.firing-link').count()).toBe(1);
  expect(await row.locator('.firing-link').getAttribute('href')).toBe(new URL(links.subject).pathname);
});

test('who takes it on is shown, and told', async () => {
  const row = page.getByRole('row', { name: RULE });
  await row.getByRole('button', { name: /^Acknowledge/ }).click();
  await row.getByText('acknowledged', { exact: true }).waitFor();
  const acknowledged = await told('acknowledged');
  expect(acknowledged.message.title).toBe((await told('triggered')).message.title);
  await row.getByRole('button', { name: /show each try/ }).click();
  const log = page.getByRole('list', { name: 'Deliveries' });
  await log.getByText('that somebody took it on').waitFor();
  await log.getByText('that it fires').waitFor();
  await page.keyboard.press('Escape');

  await row.getByRole('button', { name: /^Resolve/ }).click();
  await row.getByText('resolved', { exact: true }).waitFor();
  await told('resolved');
  const answer = await fetch(`${product.url}/api/v1/projects/${project.project_id}/alerts/firings?status=resolved`, {
    headers: { authorization: `Bearer ${project.secret_key}` },
  });
  const { items } = (await answer.json()) as any;
  expect(items.map((firing: any) => [firing.rule_name, firing.status])).toEqual([[RULE, 'resolved']]);
});
