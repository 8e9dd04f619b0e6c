import type { Deflate, DomLine } from '../delivery/contract.js';
import type { DomPrivacy } from '../privacy/index.js';
import type { DegradedSignal } from '../signal.js';

/** What the core gives to the recorder, which lives in a chunk of its own. */
export interface RecorderHost {
  privacy: DomPrivacy;
  now(): number;
  /** Takes one finished line. */
  emit(line: DomLine): void;
  degraded(reason: DegradedSignal['reason'], detail: string): void;
  /** Nothing was recorded between these times. */
  gap(from: number, to: number): void;
}

export interface RecorderOptions {
  inlineImages: boolean;
  /** Keep the last minute in memory until `release`. */
  hold: boolean;
}

export interface Recorder {
  /** Takes a key frame as soon as the browser is idle. */
  requestKeyFrame(): void;
  /** Sends what was held back, and from now on everything. */
  release(): void;
  stop(): void;
}

/** The exports of the recorder's chunk. */
export interface RecorderModule {
  startRecorder(host: RecorderHost, options: RecorderOptions): Recorder;
  deflate: Deflate;
}
