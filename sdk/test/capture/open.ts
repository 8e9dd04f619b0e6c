import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { CaptureOptions } from '../../src/capture/context.js';
import type { PrivacyOptions } from '../../src/privacy/index.js';
import type { Signal } from '../../src/signal.js';
import type { Site } from './site.js';
import type {} from './harness.js';

type Kind = Signal['k'];
type Of<K extends Kind> = Extract<Signal, { k: K }>;

interface Opening {
  path?: string;
  html?: string;
  options?: CaptureOptions;
  privacy?: PrivacyOptions;
  endpoint?: string;
}

/** A page with the captures installed. */
export class CapturedPage {
  private constructor(
    readonly page: Page,
    private readonly site: Site,
  ) {}

  static async open(browser: Browser, site: Site, opening: Opening = {}): Promise<CapturedPage> {
    const page = await browser.newPage();
    await page.goto(site.url(opening.path ?? '/page'));
    await page.evaluate(({ html, options, privacy, endpoint }) => {
      document.body.insertAdjacentHTML('beforeend', html ?? '');
      window.harness.start(options, privacy, endpoint);
    }, opening);
    return new CapturedPage(page, site);
  }

  /** Signals of a kind so far. No capture may have failed meanwhile. */
  async signals<K extends Kind>(kind: K): Promise<Of<K>[]> {
    const { signals, failures } = await this.page.evaluate(() => ({
      signals: window.harness.signals,
      failures: window.harness.failures,
    }));
    expect(failures).toEqual([]);
    return signals.filter((signal): signal is Of<K> => signal.k === kind);
  }

  /** Waits for so many signals of a kind. */
  async atLeast<K extends Kind>(kind: K, count: number): Promise<Of<K>[]> {
    await this.page.waitForFunction(
      ([wanted, least]) => window.harness.signals.filter(({ k }) => k === wanted).length >= (least as number),
      [kind, count] as const,
      { timeout: 10_000 },
    );
    return this.signals(kind);
  }

  async first<K extends Kind>(kind: K): Promise<Of<K>> {
    return (await this.atLeast(kind, 1))[0] as Of<K>;
  }

  /** Runs code as a script of the site, and returns its address. */
  async run(code: string): Promise<string> {
    const path = this.site.addScript(code);
    await this.page.addScriptTag({ url: path });
    return this.site.url(path);
  }

  async close(): Promise<void> {
    await this.signals('page');
    await this.page.close();
  }
}
