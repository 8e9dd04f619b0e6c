// What visitors do: each visit is a session of its own, in a browser profile of its own.
import type { BrowserContext, Page } from 'playwright-core';
import { pause } from '../src/product.ts';

export interface Addresses {
  shop: string;
  swagger: string;
  rapidoc: string;
  report: string;
}

export type Visit = (page: Page, at: Addresses, context: BrowserContext) => Promise<void>;

/** The recorder sends every five seconds, and once more when the page closes. */
const SENT_MS = 6_000;

async function openShop(page: Page, at: Addresses): Promise<void> {
  await page.goto(at.shop);
  await page.waitForSelector('.card');
}

async function wander(page: Page, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1_000;
  for (let n = 0; Date.now() < until; n++) {
    await page.mouse.move(100 + ((n * 173) % 900), 100 + ((n * 97) % 500), { steps: 8 });
    await page.mouse.wheel(0, n % 3 === 2 ? -500 : 250);
    await pause(300 + ((n * 211) % 700));
  }
}

async function buySomething(page: Page, card: number): Promise<void> {
  await page.locator('.card a').nth(card).click();
  await page.waitForSelector('.product .primary');
  await wander(page, 2);
  await page.click('.product .primary');
  await page.waitForSelector('.stepper');
  await page.getByRole('button', { name: /more$/ }).first().click();
  await wander(page, 1);
  await page.locator('header a[href="/demo"]').first().click();
  await page.waitForSelector('.card');
}

const glance: Visit = async (page, at) => {
  await openShop(page, at);
  await wander(page, 2);
};

const browse: Visit = async (page, at) => {
  await openShop(page, at);
  for (const card of [0, 3, 5]) await buySomething(page, card);
  await wander(page, 4);
};

const trouble: Visit = async (page, at) => {
  await openShop(page, at);
  for (const id of ['uncaught-error', 'rejected-promise', 'failing-request', 'slow-request', 'console-error']) {
    await page.click(`#${id}`);
    await wander(page, 2);
  }
  await page.click('#rage-target', { clickCount: 5, delay: 20 });
  await page.click('#dead-click');
  await page.click('#websocket');
  await pause(SENT_MS);
  await page.click('#failing-request');
  await page.click('#uncaught-error');
  await wander(page, 3);
};

const long: Visit = async (page, at) => {
  await openShop(page, at);
  for (let round = 0; round < 10; round++) {
    await buySomething(page, round % 6);
    await wander(page, 6);
    if (round % 3 === 1) await page.click('#slow-request');
    if (round % 4 === 2) await page.click('#uncaught-error');
  }
};

const twoTabs: Visit = async (page, at, context) => {
  await openShop(page, at);
  await wander(page, 3);
  const second = await context.newPage();
  await openShop(second, at);
  await buySomething(second, 2);
  await wander(second, 4);
  await second.click('#failing-request');
  await second.close();
  await page.reload();
  await page.waitForSelector('.card');
  await wander(page, 4);
};

const swagger: Visit = async (page, at) => {
  await page.goto(at.swagger);
  for (const name of ['pets', 'orders', 'owners', 'visits']) {
    await page.click(`#operations-${name}-get_${name} .opblock-summary-control`);
    await page.waitForSelector(`#operations-${name}-get_${name} .opblock-body`);
    await page.click(`#operations-${name}-get_${name} .try-out__btn`);
    await page.click(`#operations-${name}-get_${name} .execute`);
    await wander(page, 3);
  }
  await pause(SENT_MS);
};

const rapidoc: Visit = async (page, at) => {
  await page.goto(at.rapidoc);
  for (const name of ['pets', 'orders', 'clinics']) {
    await page.getByText(`All ${name}`).first().click();
    await wander(page, 4);
  }
};

/** A page whose snapshot is about 5 MB, so that it travels in parts. */
const report: Visit = async (page, at) => {
  await page.goto(at.report);
  await page.waitForSelector('#done');
  await wander(page, 12);
  await page.click('#sort');
  await wander(page, 8);
  await pause(SENT_MS);
};

/** By name, which the corpus keeps: the part before the first dash is the app. */
export const VISITS: Record<string, Visit> = {
  'shop-glance-1': glance,
  'shop-glance-2': glance,
  'shop-glance-3': glance,
  'shop-browse-1': browse,
  'shop-browse-2': browse,
  'shop-trouble-1': trouble,
  'shop-trouble-2': trouble,
  'shop-tabs': twoTabs,
  'shop-long': long,
  'swagger-1': swagger,
  'swagger-2': swagger,
  'rapidoc-1': rapidoc,
  'rapidoc-2': rapidoc,
  'report-large': report,
};
