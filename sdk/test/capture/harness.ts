/** Runs in the page: the captures with a context that keeps what they emit. */
import { captures } from '../../src/capture/index.js';
import type { CaptureContext, CaptureOptions } from '../../src/capture/context.js';
import { loadLate } from '../../src/capture/late/load.js';
import { createClock } from '../../src/clock.js';
import { MutationNotice } from '../../src/mutations.js';
import { createPrivacy, type PrivacyOptions } from '../../src/privacy/index.js';
import type { Signal } from '../../src/signal.js';

export interface Harness {
  signals: Signal[];
  urgent: number;
  failures: string[];
  early: Event[];
  start(options?: CaptureOptions, privacy?: PrivacyOptions, endpoint?: string): void;
  /** Waits until the captures that come late are installed. */
  ready(): Promise<void>;
  stop(): void;
}

let undos: (() => void)[] = [];
let mutations = new MutationNotice();

const harness: Harness = {
  signals: [],
  urgent: 0,
  failures: [],
  early: [],
  start(options = {}, privacy = {}, endpoint = 'https://playhead.invalid') {
    let click: { id: string; t: number } | undefined;
    mutations = new MutationNotice();
    const context: CaptureContext = {
      emit: (signal) => harness.signals.push(signal),
      urgent: () => harness.urgent++,
      privacy: createPrivacy(privacy),
      now: createClock(),
      options,
      guard: ((callback: (...args: unknown[]) => unknown) =>
        function (this: unknown, ...args: unknown[]) {
          try {
            return callback.apply(this, args);
          } catch (error) {
            // A test that swallowed this would pass while the capture is broken.
            harness.failures.push(String((error as Error).stack ?? error));
            return undefined;
          }
        }) as CaptureContext['guard'],
      endpoint,
      session: () => '0123456789abcdef0123456789abcdef',
      lastClick: () => click,
      noteClick: (noted) => (click = noted),
      onDomMutation: (listener) => mutations.on(listener),
      earlyErrors: () => harness.early.splice(0),
    };
    undos.push(...captures.map((capture) => capture(context)));
  },
  async ready() {
    // They are installed by what was chained first to the same promise.
    await loadLate();
  },
  stop() {
    for (const undo of undos.reverse()) undo();
    undos = [];
    mutations.stop();
  },
};

declare global {
  interface Window {
    harness: Harness;
    /** Factor of timers of half a second and more; there where a page was opened with it. */
    patience: number;
  }
}
window.harness = harness;
