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
