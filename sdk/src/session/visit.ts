import type { Rates, Stream } from '../delivery/batch.js';
import type { ServerSettings } from '../delivery/contract.js';
import { type Settings, projectOf } from '../options.js';
import { randomHex } from '../random.js';
import { SessionKeeper } from './keeper.js';
import { shareOf } from './sampling.js';
import { cookieSlot, type Slot, storageOf, storageSlot } from './storage.js';
import { Tab } from './tab.js';

/** Cookies are asked to live a little longer than a visit may be idle. */
const COOKIE_SLACK_S = 60;

function openSlot(settings: Settings): Slot | undefined {
  const name = `playhead:${projectOf(settings.key)}`;
  if (settings.cookieDomain || settings.crossSubdomain) {
    const maxAgeS = Math.ceil(settings.maxIdleMs / 1000) + COOKIE_SLACK_S;
    const slot = cookieSlot(name, settings.cookieDomain, maxAgeS);
    if (slot) return slot;
  }
  const storage = storageOf('localStorage');
  return storage && storageSlot(storage, name);
}

/** The session, this document's stream in it, and what of it is recorded. */
export class Visit {
  readonly keeper: SessionKeeper;
  readonly storageBlocked: boolean;
  stream: Stream;
  private readonly tab: Tab;
  private readonly rates: Rates;

  constructor(settings: Settings, now: () => number) {
    const slot = openSlot(settings);
    const tabStorage = storageOf('sessionStorage');
    this.storageBlocked = !slot;
    this.keeper = new SessionKeeper(slot, settings.maxIdleMs, now);
    this.tab = new Tab(tabStorage && storageSlot(tabStorage, `playhead:tab:${projectOf(settings.key)}`), this.keeper);
    this.rates = {
      dom: settings.sampleRate,
      dom_on_error: settings.onErrorSampleRate,
      signals: settings.signalSampleRate,
    };
    this.stream = this.newStream();
  }

  /** What becomes of this session's pictures. */
  get pictures(): 'send' | 'hold' | 'none' {
    const { id, promoted } = this.keeper.record;
    if (promoted || shareOf(id, 'dom') < this.rates.dom) return 'send';
    return shareOf(id, 'error') < this.rates.dom_on_error ? 'hold' : 'none';
  }

  get sendsSignals(): boolean {
    return shareOf(this.keeper.record.id, 'signals') < this.rates.signals;
  }

  /** The session goes on under another tab's id, if there is one. */
  confirm(): void {
    if (!this.keeper.confirm()) return;
    this.stream.session = this.keeper.record.id;
    this.tab.renumber();
    this.stream.tab = this.tab.number;
  }

  /** The visit is over; the next thing the user does belongs to another one. */
  renew(): void {
    this.keeper.renew();
    this.tab.renumber();
    this.stream = this.newStream();
  }

  /** An error made the held-back pictures wanted. */
  promote(): void {
    this.keeper.promote();
    this.stream.sampled = true;
  }

  /** What the page did not set is the server's to set. */
  apply(settings: ServerSettings, given: { dom: boolean; error: boolean; signals: boolean; idle: boolean }): void {
    const { sample_rate: dom, on_error_sample_rate: error, signal_sample_rate: signals, max_idle_ms: idle } = settings;
    if (!given.dom && isRate(dom)) this.rates.dom = dom;
    if (!given.error && isRate(error)) this.rates.dom_on_error = error;
    if (!given.signals && isRate(signals)) this.rates.signals = signals;
    if (!given.idle && typeof idle === 'number' && idle > 0) this.keeper.maxIdleMs = idle;
    this.stream.sampled = this.pictures === 'send';
  }

  leave(left: boolean): void {
    this.tab.mark(left);
  }

  private newStream(): Stream {
    return {
      session: this.keeper.record.id,
      stream: randomHex(8),
      tab: this.tab.number,
      rates: this.rates,
      sampled: this.pictures === 'send',
      nextSeq: 0,
    };
  }
}

function isRate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
