import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';

const SCREENS = fileURLToPath(new URL('../screens/', import.meta.url));
const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  });

export interface Look {
  width: number;
  height?: number;
  scheme?: 'light' | 'dark';
}

export interface WatchedPage {
  page: Page;
  /** What the page complained about: uncaught errors, console errors, refused by policy. */
  complaints: string[];
}

/** A page in a context of its own that notes every complaint. Answers with an error status are no complaint. */
export async function openPage(
  browser: Browser,
  { width, height = 900, scheme = 'light' }: Look,
): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    timezoneId: 'Europe/Lisbon',
    locale: 'en-GB',
  });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  return { page, complaints };
}

/**
 * Changes the world, lets so much time pass by the page's own clock and no more, and waits until the page has asked again. The
 * page must have been opened with a clock of its own.
 */
export async function asksWithin(
  page: Page,
  ms: number,
  server: { world: { requests: string[] } },
  change: () => void,
): Promise<void> {
  // Only forward moves are allowed; time runs on until here.
  await page.clock.pauseAt(Date.now() + 60_000);
  // That made it ask, too: it counts the time to the next question from the answer on.
  await page.waitForTimeout(1_000);
  change();
  const before = server.world.requests.length;
  await page.clock.runFor(ms);
  await expect.poll(() => server.world.requests.length, { timeout: 60_000 }).toBeGreaterThan(before);
  await page.clock.resume();
}

interface AxeResult {
  violations: { id: string; help: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** Fails when axe-core finds anything at all. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated by the debugger, so that the page's policy needs no exception.
  await page.evaluate(await axeSource);
  const result = await page.evaluate(
    async () => (await (globalThis as unknown as { axe: { run: () => Promise<unknown> } }).axe.run()) as AxeResult,
  );
  const found = result.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} — ${node.failureSummary ?? ''}`),
  );
  expect(found).toEqual([]);
}

export async function photograph(page: Page, name: string): Promise<void> {
  await mkdir(SCREENS, { recursive: true });
  await page.screenshot({ path: `${SCREENS}${name}.png` });
}

/** Closes a page, which had nothing to complain of. */
export async function close({ page, complaints }: WatchedPage): Promise<void> {
  await page.context().close();
  expect(complaints).toEqual([]);
}

/** How many pixels wider than the window the page is. */
export const overflow = ({ page }: WatchedPage): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
