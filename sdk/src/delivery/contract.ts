import type { GapSignal, Signal } from '../signal.js';
import type { Stream } from './batch.js';

/** zlib on the calling thread. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

export interface DomLine {
  /** One rrweb event as JSON, with its newline. */
  text: string;
  t: number;
  /** Begins a key frame. */
  key: boolean;
}

/** What the server says about recording; every member may be missing. */
export interface ServerSettings {
  sample_rate?: number;
  on_error_sample_rate?: number;
  signal_sample_rate?: number;
  max_idle_ms?: number;
}

/** What the core gives to the delivery, which lives in a chunk of its own. */
export interface DeliveryHost {
  key: string;
  endpoint: string;
  /** The page's own `fetch`, from before anybody patched it. */
  fetch: typeof fetch;
  now(): number;
  /** Runs once, before anything is sent: the last moment at which the session's id may change. */
  beforeFirstSend(): void;
  /** Pictures were dropped: what follows cannot be drawn before a new key frame. */
  needKeyFrame(): void;
  /** The server will take nothing of this page. */
  refused(): void;
  /** The page has no worker for us. */
  workerBlocked(): void;
  settings(answer: ServerSettings): void;
  /** zlib, when it is loaded. */
  deflate(): Deflate | undefined;
  loadDeflate(): Promise<Deflate | undefined>;
}

/** Lines in, acknowledged batches out. */
export interface Delivery {
  addSignal(signal: Signal): void;
  addDom(line: DomLine): void;
  /** Something between two times will never arrive; `bytes` of it were raw. */
  noteGap(from: number, to: number, bytes: number, reason: GapSignal['reason'], frame: GapSignal['frame']): void;
  /** Sends what is there without waiting for the interval. */
  flush(): void;
  /** The next batches belong to another stream. */
  switchTo(stream: Stream): void;
  /** The page may be gone after this task: everything goes now. `end`: the session is over. */
  sayFarewell(final: boolean, end?: boolean): void;
  /** The page came back after a farewell. */
  resume(): void;
  /** The way may be free again. */
  retrySoon(): void;
  /** Takes nothing any more; what is there is still sent unless `discard`. */
  close(discard: boolean): void;
}

/** The exports of the delivery's chunk. */
export interface DeliveryModule {
  createDelivery(host: DeliveryHost, stream: Stream): Delivery;
}
