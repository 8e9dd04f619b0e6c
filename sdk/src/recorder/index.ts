import { record } from '@rrweb/record';
import type { eventWithTime } from '@rrweb/types';
import { zlibSync } from 'fflate';
import type { Recorder, RecorderHost, RecorderOptions } from './contract.js';
import { KeyFrames } from './keyframes.js';
import { Ring } from './ring.js';
import { Sanitizer } from './sanitizer.js';
import { onColorScheme } from './scheme.js';
import { StormGuard } from './storm.js';

const META = 4;
const FULL_SNAPSHOT = 2;
const INCREMENTAL = 3 as const;
const MUTATION = 0 as const;
const MAX_FAILURES = 50;

/** zlib on the calling thread, quick rather than small. */
export function deflate(bytes: Uint8Array): Uint8Array {
  return zlibSync(bytes, { level: 1 });
}

/** Records the page's pictures by rrweb. */
class PageRecorder implements Recorder {
  private readonly sanitizer: Sanitizer;
  private readonly keyFrames: KeyFrames;
  private readonly storm: StormGuard;
  private ring: Ring | undefined;
  private readonly stopScheme: () => void;
  private stopRrweb: (() => void) | undefined;
  private pausedAt: number | undefined;
  private failures = 0;
  /** rrweb has a few things to say before its first key frame; nobody can draw them. */
  private seenKey = false;
  private stopped = false;

  constructor(
    private readonly host: RecorderHost,
    private readonly options: RecorderOptions,
  ) {
    this.ring = options.hold ? new Ring() : undefined;
    this.sanitizer = new Sanitizer(host.privacy, record.mirror);
    this.keyFrames = new KeyFrames(
      () => this.takeKeyFrame(),
      () => host.now(),
      () => this.ring !== undefined,
    );
    this.storm = new StormGuard(
      (detail) => this.pause('mutation_storm', detail),
      () => this.resume(),
    );
    // A page that heeds them changes all at once, which no mutation tells: a key frame does.
    this.stopScheme = onColorScheme(() => this.takeKeyFrame());
    this.begin();
  }

  requestKeyFrame(): void {
    this.keyFrames.schedule();
  }

  release(): void {
    const lines = this.ring?.take() ?? [];
    this.ring = undefined;
    for (const line of lines) this.host.emit(line);
    // The ring may have had to let go of its key frame.
    if (!lines[0]?.key) this.requestKeyFrame();
  }

  stop(): void {
    this.stopped = true;
    this.stopScheme();
    this.keyFrames.stop();
    this.storm.stop();
    this.end();
  }

  private begin(): void {
    this.seenKey = false;
    this.storm.watch();
    const { privacy } = this.host;
    this.stopRrweb = record({
      emit: (event) => this.take(event),
      blockSelector: privacy.blockedSelector(),
      ignoreSelector: privacy.ignoredSelector(),
      maskAllInputs: true,
      // Without an element nobody knows whether the page allows it.
      maskInputFn: (text, element) => (text && !(element && !privacy.isMasked(element)) ? privacy.mask : text),
      inlineStylesheet: true,
      inlineImages: this.options.inlineImages,
      recordCanvas: false,
      collectFonts: false,
      slimDOMOptions: {
        script: true,
        comment: true,
        headFavicon: true,
        // Not `headWhitespace`: it takes the emptied texts of style elements for white space.
        headMetaSocial: true,
        headMetaRobots: true,
        headMetaHttpEquiv: true,
        headMetaVerification: true,
        headMetaDescKeywords: true,
        headMetaAuthorship: true,
      },
      recordAfter: 'DOMContentLoaded',
      errorHandler: () => this.fail(),
    });
  }

  private end(): void {
    try {
      this.stopRrweb?.();
    } catch {
      // A page that replaced what rrweb patched; nothing is left to undo.
    }
    this.stopRrweb = undefined;
  }

  private take(event: eventWithTime): void {
    if (this.stopped) return;
    const startedAt = performance.now();
    try {
      event.timestamp = this.host.now();
      if (!this.sanitizer.clean(event)) return;
      const text = `${JSON.stringify(event)}\n`;
      const key = (event.type as number) === META;
      this.seenKey ||= key;
      if (!this.seenKey) return;
      if ((event.type as number) === FULL_SNAPSHOT) this.keyFrames.tookSnapshot(text.length);
      else if (!key) this.keyFrames.recorded(text.length);
      this.pass({ text, t: event.timestamp, key });
      // A key frame is meant to be dear, and is rare.
      if (event.type === INCREMENTAL && event.data.source === MUTATION) this.storm.recorded(startedAt);
    } catch {
      this.fail();
    }
  }

  private pass(line: { text: string; t: number; key: boolean }): void {
    if (!this.ring) {
      this.host.emit(line);
      return;
    }
    this.ring.add(line);
    if (this.ring.isFull) this.requestKeyFrame();
  }

  /** rrweb or we failed at an event; a recorder that keeps failing is switched off and says so. */
  private fail(): true {
    this.failures++;
    if (this.failures === MAX_FAILURES) {
      this.host.degraded('recorder_failed', 'the recorder failed too often and was stopped');
      this.stop();
    }
    return true;
  }

  private takeKeyFrame(): void {
    if (this.stopped || this.pausedAt !== undefined) return;
    try {
      record.takeFullSnapshot(true);
    } catch {
      this.fail();
    }
  }

  private pause(reason: 'mutation_storm', detail: string): void {
    this.pausedAt = this.host.now();
    this.end();
    this.host.degraded(reason, detail);
  }

  private resume(): void {
    if (this.stopped || this.pausedAt === undefined) return;
    this.host.gap(this.pausedAt, this.host.now());
    this.pausedAt = undefined;
    this.begin();
  }
}

export function startRecorder(host: RecorderHost, options: RecorderOptions): Recorder {
  return new PageRecorder(host, options);
}
