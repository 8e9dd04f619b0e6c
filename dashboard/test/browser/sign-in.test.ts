import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { expectAccessible, launch, openPage, photograph } from '../server/browser';
import { makeWorld, startServer, type TestServer } from '../server/server';

let browser: Browser;
let server: TestServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  server.world = makeWorld({ signedIn: false });
});

it('signs in by the printed link and leaves no token in the address or the history', async () => {
  const { page, complaints } = await openPage(browser, { width: 1440 });
  await page.goto(`${server.url}/sign-in?token=good-token`);
  await page.waitForURL(/\/p\/0123456789abc\/sessions$/);
  await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
  await page.goBack().catch(() => null);
  expect(page.url()).not.toContain('token');
  await page.context().close();
  expect(complaints).toEqual([]);
});

it.each([
  [1440, 'light'],
  [390, 'dark'],
] as const)('says that a link has expired and where to find a new one, at %d px, %s', async (width, scheme) => {
  const { page, complaints } = await openPage(browser, { width, scheme });
  await page.goto(`${server.url}/sign-in?token=old`);
  await page.getByRole('heading', { name: 'This link no longer works' }).waitFor();
  await page.getByText('Look at the terminal').waitFor();
  await expect.poll(() => page.url()).not.toContain('token');
  await expectAccessible(page);
  await photograph(page, `sign-in-expired-${String(width)}-${scheme}`);
  await page.context().close();
  expect(complaints).toEqual([]);
});

it('sends signed-out readers to sign in, and back to where they were going', async () => {
  const { page } = await openPage(browser, { width: 1440 });
  await page.goto(`${server.url}/p/0123456789abc/sessions?errors=true`);
  await page.getByRole('heading', { name: 'Sign in to Playhead' }).waitFor();
  await expectAccessible(page);
  const address = new URL(page.url());
  expect(address.searchParams.get('next')).toBe('/p/0123456789abc/sessions?errors=true');
  address.searchParams.set('token', 'good-token');
  await page.goto(address.href);
  await page.waitForURL(`${server.url}/p/0123456789abc/sessions?errors=true`);
  await page.context().close();
});

it('can be tried again when the server does not answer', async () => {
  server.world.failures.set('/api/v1/sign-in', 503);
  const { page } = await openPage(browser, { width: 1440 });
  await page.goto(`${server.url}/sign-in?token=good-token`);
  await page.getByRole('heading', { name: 'Signing in failed' }).waitFor();
  await expectAccessible(page);
  server.world.failures.clear();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.waitForURL(/\/sessions$/);
  await page.context().close();
});

it('signs out', async () => {
  server.world.signedIn = true;
  const { page } = await openPage(browser, { width: 1440 });
  await page.goto(`${server.url}/`);
  await page.getByRole('button', { name: 'Account and display' }).click();
  await expectAccessible(page);
  await photograph(page, 'account-menu');
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  expect(server.world.signedIn).toBe(false);
  await page.context().close();
});
