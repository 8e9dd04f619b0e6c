import { captures } from './capture/index.js';
import type { CaptureContext } from './capture/context.js';
import { createClock } from './clock.js';
import type { DeliveryHost, DomLine, ServerSettings } from './delivery/contract.js';
import { LazyDelivery } from './delivery/lazy.js';
import { attempt, guard } from './guard.js';
import { followLifecycle } from './lifecycle.js';
import { MutationNotice } from './mutations.js';
import { projectOf, type Settings, type StartOptions } from './options.js';
import { createPrivacy } from './privacy/index.js';
import type { Recorder } from './recorder/contract.js';
import { loadedRecorder, loadRecorder } from './recorder/load.js';
import { Visit } from './session/visit.js';
import type { DegradedSignal, EndSignal, IdentifySignal, PageSignal, Signal } from './signal.js';
import type { Stub } from './stub.js';

/** More signals than this in a second are a loop, not a visit: the rest of the second is a gap. */
const MAX_SIGNALS_PER_SECOND = 1_000;
const MAX_TICK_MS = 30_000;

/** One started SDK: everything between `start` and `stop`. */
export class Recording {
  private readonly now = createClock();
  private readonly privacy;
  private readonly visit: Visit;
  private readonly outbox: LazyDelivery;
  private readonly mutations = new MutationNotice();
  readonly context: CaptureContext;
  private recorder: Recorder | undefined;
  private readonly undo: (() => void)[] = [];
  private click: { id: string; t: number } | undefined;
  private page: PageSignal | undefined;
  private identity: IdentifySignal | undefined;
  private second = { at: 0, count: 0 };
  /** The visit is over, the document still there: nothing is taken until the user comes back. */
  private suspended = false;
  private stopped = false;
  private readonly given;

  constructor(
    private readonly settings: Settings,
    options: StartOptions,
    private readonly stub: Stub | undefined,
    private readonly onRefused: () => void,
  ) {
    this.given = {
      dom: options.sampleRate !== undefined,
      error: options.onErrorSampleRate !== undefined,
      signals: options.signalSampleRate !== undefined,
      idle: options.maxIdleMs !== undefined,
    };
    this.privacy = createPrivacy(settings.privacy);
    this.visit = new Visit(settings, this.now);
    this.outbox = new LazyDelivery(this.deliveryHost(), this.visit.stream);
    this.context = this.createContext();
  }

  begin(): void {
    for (const capture of captures) {
      const undo = attempt(() => capture(this.context));
      if (undo) this.undo.push(undo);
    }
    if (this.visit.storageBlocked) this.degraded('storage_blocked');
    this.undo.push(followLifecycle(this.lifecycleHost(), Math.min(MAX_TICK_MS, this.settings.maxIdleMs / 4)));
    void this.record();
  }

  /** Undoes everything; what was recorded is still delivered. */
  stop(): void {
    if (this.stopped) return;
    // Captures still hold some signals (repeats, requests that wait for their timing): they go out before the end.
    this.undoCaptures();
    this.emit({ k: 'end', t: this.now(), reason: 'stop' });
    this.halt();
    attempt(() => this.outbox.sayFarewell(true, true));
    this.outbox.close(false);
    this.visit.keeper.forget();
  }

  sessionUrl(): string {
    const { id, started } = this.visit.keeper.record;
    const at = Math.max(0, Math.round(this.now() - started));
    return `${this.settings.endpoint}/p/${projectOf(this.settings.key)}/sessions/${id}?t=${at}`;
  }

  emit(signal: Signal): void {
    if (this.stopped || this.suspended || this.isOwnNoise(signal)) return;
    if (signal.k === 'page') this.page = signal;
    if (signal.k === 'identify') this.identity = signal;
    if (signal.k === 'error' && this.visit.pictures === 'hold') this.promote();
    if (!this.visit.sendsSignals) return;
    if (this.isFlood(signal)) return;
    attempt(() => this.outbox.addSignal(signal));
  }

  private halt(): void {
    this.stopped = true;
    this.undoCaptures();
    this.mutations.stop();
    attempt(() => this.recorder?.stop());
    this.recorder = undefined;
  }

  private undoCaptures(): void {
    while (this.undo.length) attempt(this.undo.pop() as () => void);
  }

  private createContext(): CaptureContext {
    return {
      emit: guard((signal: Signal) => this.emit(signal)),
      urgent: guard(() => this.outbox.flush()),
      privacy: this.privacy,
      now: this.now,
      options: this.settings.capture,
      guard,
      endpoint: this.settings.endpoint,
      session: () => (this.suspended || !this.visit.sendsSignals ? undefined : this.visit.stream.session),
      lastClick: () => this.click,
      noteClick: (click) => (this.click = click),
      onDomMutation: (listener) => this.mutations.on(listener),
      earlyErrors: () => this.takeEarlyErrors(),
    };
  }

  private takeEarlyErrors(): Event[] {
    const { stub } = this;
    if (!stub?.e) return [];
    if (stub.h) {
      window.removeEventListener('error', stub.h, true);
      window.removeEventListener('unhandledrejection', stub.h);
    }
    return stub.e.splice(0);
  }

  private deliveryHost(): DeliveryHost {
    const { key, endpoint } = this.settings;
    return {
      key,
      endpoint,
      fetch: window.fetch.bind(window),
      now: this.now,
      beforeFirstSend: () => this.visit.confirm(),
      workerBlocked: () => this.degraded('worker_blocked'),
      settings: (answer) => this.applySettings(answer),
      loadDeflate: async () => (await loadRecorder())?.deflate,
      needKeyFrame: () => this.recorder?.requestKeyFrame(),
      refused: () => {
        this.halt();
        this.onRefused();
      },
      deflate: () => loadedRecorder()?.deflate,
    };
  }

  private lifecycleHost() {
    return {
      active: () => this.seeUser(),
      hidden: () => this.outbox.sayFarewell(false),
      visible: () => {
        this.seeUser();
        this.outbox.resume();
      },
      leaving: (kept: boolean) => {
        this.visit.leave(true);
        this.outbox.sayFarewell(!kept);
      },
      restored: () => {
        this.visit.leave(false);
        this.seeUser();
        this.outbox.resume();
      },
      online: () => {
        this.outbox.retrySoon();
        // The recorder may not have come through either.
        void this.record();
      },
      tick: () => this.endWhenOver(),
    };
  }

  /** The user is here: the visit goes on, or another one begins. */
  private seeUser(): void {
    this.endWhenOver();
    if (this.suspended) this.wake();
    else this.visit.keeper.touch();
  }

  private endWhenOver(): void {
    if (this.suspended || this.stopped) return;
    const reason = this.visit.keeper.overReason();
    if (!reason) return;
    this.suspend(reason);
    if (reason === 'max_length' && document.visibilityState === 'visible') this.wake();
  }

  private suspend(reason: EndSignal['reason']): void {
    this.emit({ k: 'end', t: this.now(), reason });
    this.outbox.flush();
    this.recorder?.stop();
    this.recorder = undefined;
    this.suspended = true;
  }

  private wake(): void {
    this.suspended = false;
    this.visit.renew();
    this.outbox.switchTo(this.visit.stream);
    const t = this.now();
    const url = this.privacy.redactUrl(location.href);
    if (this.page)
      this.emit({ ...this.page, t, url, visibility: document.visibilityState === 'hidden' ? 'hidden' : 'visible' });
    if (this.identity) this.emit({ ...this.identity, t });
    void this.record();
  }

  /** Starts the pictures, if this session has any. The recorder is a chunk of its own and may come late, or never. */
  private async record(): Promise<void> {
    const { stream, pictures } = this.visit;
    if (this.settings.capture.dom === false || pictures === 'none' || this.recorder) return;
    const module = await loadRecorder();
    if (this.stopped || this.suspended || this.recorder || stream !== this.visit.stream) return;
    if (!module) {
      this.degraded('recorder_failed', 'the recorder could not be loaded');
      return;
    }
    const options = {
      inlineImages: this.settings.capture.inlineImages ?? false,
      hold: this.visit.pictures === 'hold',
    };
    this.recorder = attempt(() => module.startRecorder(this.recorderHost(), options));
    if (!this.recorder) this.degraded('recorder_failed', 'the recorder could not be started');
  }

  private recorderHost() {
    return {
      privacy: this.privacy,
      now: this.now,
      emit: (line: DomLine) => this.outbox.addDom(line),
      degraded: (reason: DegradedSignal['reason'], detail: string) => this.degraded(reason, detail),
      gap: (from: number, to: number) => this.outbox.noteGap(from, to, 0, 'degraded', 'dom'),
    };
  }

  private promote(): void {
    this.visit.promote();
    this.recorder?.release();
  }

  private applySettings(answer: ServerSettings): void {
    this.visit.apply(answer, this.given);
    if (this.visit.pictures === 'none') {
      this.recorder?.stop();
      this.recorder = undefined;
    } else {
      void this.record();
    }
  }

  private degraded(reason: DegradedSignal['reason'], detail?: string): void {
    this.emit({ k: 'degraded', t: this.now(), reason, ...(detail ? { detail } : {}) });
  }

  /** A policy that forbids our worker is ours to work around, not the page's error. */
  private isOwnNoise(signal: Signal): boolean {
    return (
      signal.k === 'error' &&
      signal.mechanism === 'csp' &&
      /worker-src|child-src/.test(signal.message) &&
      /blob/.test(signal.message)
    );
  }

  private isFlood(signal: Signal): boolean {
    const at = Math.floor(signal.t / 1000);
    if (at !== this.second.at) this.second = { at, count: 0 };
    if (++this.second.count <= MAX_SIGNALS_PER_SECOND || signal.k === 'error') return false;
    this.outbox.noteGap(signal.t, signal.t, 0, 'degraded', 'signals');
    return true;
  }
}
