// The demo shop is driven, recorded and replayed: the stage shows what the shop showed, forms with typed fields included.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { startChromium } from '../src/chromium.ts';
import { checkReplay, letItSend, moment } from '../src/moments.ts';
import { demoProject, startProduct, type Product } from '../src/product.ts';

let product: Product;
let chromium: Browser;

beforeAll(async () => {
  product = await startProduct();
  chromium = await startChromium();
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

test('the demo shop', async () => {
  const project = await demoProject(product);
  const page = await chromium.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${product.url}/demo`);
  await page.waitForSelector('.card');
  const moments = [await moment(page, 'list')];
  await page.locator('.card button').first().click();
  await page.click('a[href="/demo/cart"]');
  await page.click('a[href="/demo/checkout"]');
  await page.waitForSelector('#checkout');
  await page.fill('#checkout-name', 'Ada Lovelace');
  await page.fill('#checkout-email', 'ada@example.com');
  await page.fill('#checkout-card', '4111 1111 1111 1111');
  await page.fill('#checkout-note', 'Leave it\nat the door');
  moments.push(await moment(page, 'checkout'));
  await letItSend(page, product, project);
  await page.close();
  await checkReplay(product, chromium, project, moments, 'demo');
});

test('the demo shop in the colours that its user had asked for, and in the other ones after a change', async () => {
  const project = await demoProject(product);
  // A session of its own.
  const context = await chromium.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  const page = await context.newPage();
  await page.goto(`${product.url}/demo`);
  await page.waitForSelector('.card');
  const moments = [await moment(page, 'dark')];
  await page.emulateMedia({ colorScheme: 'light' });
  moments.push(await moment(page, 'light'));
  await letItSend(page, product, project);
  await context.close();
  await checkReplay(product, chromium, project, moments, 'demo-colours');
});
