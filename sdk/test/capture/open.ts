import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { CaptureOptions } from '../../src/capture/context.js';
import type { PrivacyOptions } from '../../src/privacy/index.js';
import type { Signal } from '../../src/signal.js';
import { PATIENCE_MS, stopClock } from '../browser.js';
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
  /** The page's clock stands still until `pass` moves it. */
  still?: boolean;
  /**
   * So many times longer take the page's timers of half a second and more: what the captures wait for then comes before they
   * give up waiting, however busy the machine. `window.patience` changes it.
   */
  patience?: number;
}

/** Stretches the timers of a page; runs in it. */
function stretchTimers(patience: number): void {
  const native = window.setTimeout;
  window.patience = patience;
  const stretched = (callback: () => void, ms = 0, ...values: unknown[]): unknown =>
    native(callback, ms < 500 ? ms : ms * window.patience, ...values);
  window.setTimeout = stretched as typeof setTimeout;
}

/** A page with the captures installed. */
export class CapturedPage {
  private constructor(
    readonly page: Page,
    private readonly site: Site,
  ) {}

  static async open(browser: Browser, site: Site, opening: Opening = {}): Promise<CapturedPage> {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    if (opening.still) await stopClock(page.context());
    if (opening.patience) await page.addInitScript(stretchTimers, opening.patience);
    await page.goto(site.url(opening.path ?? '/page'));
    await page.evaluate(async ({ html, options, privacy, endpoint }) => {
      document.body.insertAdjacentHTML('beforeend', html ?? '');
      window.harness.start(options, privacy, endpoint);
      await window.harness.ready();
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
    );
    return this.signals(kind);
  }

  async first<K extends Kind>(kind: K): Promise<Of<K>> {
    return (await this.atLeast(kind, 1))[0] as Of<K>;
  }

  /** Moves the clock of a page that was opened `still`, after all that has happened so far has been told. */
  async pass(ms: number): Promise<void> {
    await this.page.evaluate(() => window.settle());
    await this.page.clock.runFor(ms);
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
