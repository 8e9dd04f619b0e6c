import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../fixture/browser';
import { FixtureServer } from '../fixture/server';
import { SHOP_ID, shopSession } from '../fixture/shop';

/** Where the pictures go; they are looked at by people and not kept. */
const PICTURES = fileURLToPath(new URL('../screens/', import.meta.url));

let browser: Browser;
let server: FixtureServer;
let origin: string;
let axe: string;

beforeAll(async () => {
  server = new FixtureServer();
  server.sessions.set(SHOP_ID, shopSession());
  const bare = shopSession();
  bare.state = 'not_sampled';
  bare.reasons = ['The project records 10 % of its sessions.'];
  for (const stream of bare.streams) stream.recorded = [];
  server.sessions.set('d'.repeat(32), bare);
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  [browser, origin] = await Promise.all([launchBrowser(), server.start(), mkdir(PICTURES, { recursive: true })]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const VIEWS = [
  { name: 'network', query: 't=16100&pane=network', pick: /authorize/ },
  { name: 'errors', query: 't=18250&pane=errors', pick: /order\.receipt/ },
  { name: 'console', query: 't=30000&pane=console' },
  { name: 'events', query: 't=40000&pane=events' },
  { name: 'details', query: 't=40000&pane=details' },
  { name: 'gap', query: 't=22000&pane=events' },
  { name: 'not-sampled', query: 't=18250&pane=errors', session: 'd'.repeat(32) },
  { name: 'no-such-session', query: '', session: 'e'.repeat(32) },
];

const LOOKS = [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
] as const;

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

describe.each(LOOKS)('at $width px, $colorScheme', ({ width, height, colorScheme }) => {
  it.each(VIEWS)('$name has nothing that axe finds', async ({ name, query, pick, session }) => {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(`${origin}/p/p0000000000a1/sessions/${session ?? SHOP_ID}?${query}`);
    await page.locator('.row, .details, .state').first().waitFor();
    if (session === undefined) await page.frameLocator('.stage-frame').locator('.window.shown').waitFor();
    if (pick !== undefined) await page.getByRole('button', { name: pick }).first().click();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await page.screenshot({ path: `${PICTURES}replay-${name}-${String(width)}-${colorScheme}.png` });
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const { axe: tool } = window as unknown as {
        axe: { run(context: unknown, options: unknown): Promise<{ violations: Violation[] }> };
      };
      // The recorded page inside the stage is not ours to judge.
      return (await tool.run({ exclude: [['.stage-frame']] }, { iframes: false })).violations;
    });
    expect(
      found.map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary ?? ''}`).join('; ')}`,
      ),
    ).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(
      0,
    );
    await context.close();
  });
});
