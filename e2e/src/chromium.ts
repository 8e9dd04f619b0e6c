// A real Chromium with a fresh profile.
import { chromium, type Browser, type Page } from 'playwright-core';
import type { Product } from './product.ts';

const started: Browser[] = [];

export async function startChromium(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  started.push(browser);
  return browser;
}

/** Address and text of every page that is open: what somebody who looked would have seen. */
export async function openPages(): Promise<string> {
  const pages = started
    .filter((browser) => browser.isConnected())
    .flatMap((browser) => browser.contexts())
    .flatMap((context) => context.pages());
  const seen = pages.map(async (page) => {
    const text = await page.locator('body').innerText({ timeout: 2_000 }).catch(String);
    return `--- ${page.url().replace(/token=[^&]*/, 'token=…')}\n${text.slice(0, 2_000)}`;
  });
  return (await Promise.all(seen)).join('\n');
}

/** Opens the sign-in link. The page signs in when it has loaded: whoever goes on before that is not signed in. */
export async function signIn(page: Page, product: Product): Promise<void> {
  await page.goto(product.signInLink());
  await page.waitForURL((url) => url.pathname.startsWith('/p/'));
}
