import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How long a test waits for what must come: far longer than the busiest machine needs. */
export const PATIENCE_MS = 90_000;

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
}

/** A browser with a profile on disk, in which the back-forward cache works as it does for people. */
export async function launchProfile(
  extra: string[] = [],
): Promise<{ context: BrowserContext; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'playhead-profile-'));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    headless: true,
    args: [...ARGUMENTS, ...extra],
    // Playwright switches the back-forward cache off by default.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Stops the clock of all pages to come: timers, frames, dates and the times of events stand still until
 * `page.clock.runFor()` moves them. What the browser does by itself goes on; `settle` waits for it.
 */
export async function stopClock(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const frame = requestAnimationFrame.bind(window);
    window.settle = async () => {
      // Whatever scripts and the user set off is told with the next frame at the latest.
      for (let count = 0; count < 2; count++) await new Promise((resolve) => frame(resolve));
      const { port1, port2 } = new MessageChannel();
      await new Promise((resolve) => {
        port1.onmessage = resolve;
        port2.postMessage(undefined);
      });
    };
  });
  await context.clock.install();
  // Only forward moves are allowed, and a page may be open already.
  await context.clock.pauseAt(Date.now() + 3_600_000);
}

declare global {
  interface Window {
    /** Waits for the browser's own frames; there while the clock is stopped. */
    settle(): Promise<void>;
  }
}
