import { attempt } from '../guard.js';
import {
  FLUSH_INTERVAL_MS,
  FLUSH_RAW_BYTES,
  KEEPALIVE_BYTES,
  MAX_BODY_BYTES,
  MAX_JOINED_BYTES,
  MAX_SIGNAL_BYTES,
  SDK_BUFFER_BYTES,
} from '../limits.js';
import type { GapReason, Signal } from '../signal.js';
import { Backoff } from './backoff.js';
import { EMPTY_FRAME, encodeBody, type Stream } from './batch.js';
import { Buffer } from './buffer.js';
import type { Compressor } from './compressor.js';
import type { Delivery, DeliveryHost, DomLine } from './contract.js';
import type { Credential } from './credential.js';
import { Farewell } from './farewell.js';
import { Gaps } from './gaps.js';
import type { Leftovers } from './leftovers.js';
import { address, type Parcel, seal } from './parcel.js';
import type { Outcome, Transport } from './transport.js';

/** What had been sealed when memory ran out is brought down to this share of the bound. */
const SHRINK_TO = 0.75;
/** The first key frame is followed by a few events that belong to it. */
const FIRST_FLUSH_MS = 300;
/** Size alone makes a batch at most this often. */
const LARGE_INTERVAL_MS = 1_000;

/**
 * Lines in, acknowledged batches out. Holds at most `SDK_BUFFER_BYTES`, sends one batch at a time in order, and tells what it
 * had to drop as gaps.
 */
export class Outbox implements Delivery {
  private buffer = new Buffer();
  private parcels: Parcel[] = [];
  private readonly gaps = new Gaps();
  private readonly backoff = new Backoff();
  private readonly farewell: Farewell;
  private flushTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private confirmed = false;
  private closed = false;
  /** Pictures are useless until the next key frame. */
  private awaitsKey = false;
  /** The stream's first pictures are on their way: who watches live need not wait for the interval. */
  private shown = false;
  private largeAt = -Infinity;

  constructor(
    private stream: Stream,
    private readonly host: DeliveryHost,
    private readonly credential: Credential,
    private readonly compressor: Compressor,
    private readonly transport: Transport,
    private readonly leftovers: Leftovers,
  ) {
    this.farewell = new Farewell(leftovers, (parcel) => void this.send(parcel, true));
  }

  /** Bytes that wait here: for tests and the bound. */
  get size(): number {
    return this.parcels.reduce((sum, parcel) => sum + parcel.size, this.buffer.size);
  }

  addSignal(signal: Signal): void {
    if (this.closed) return;
    const line = attempt(() => JSON.stringify(signal));
    if (line === undefined) return;
    if (line.length * 3 > MAX_SIGNAL_BYTES && new TextEncoder().encode(line).length >= MAX_SIGNAL_BYTES) {
      this.gaps.add(this.host.now(), signal.t, signal.t, line.length, 'too_large', 'signals');
      return;
    }
    this.buffer.addSignal(`${line}\n`, signal.t);
    this.afterAdd();
  }

  addDom(line: DomLine): void {
    if (this.closed) return;
    if (line.key) this.awaitsKey = false;
    if (this.awaitsKey) {
      this.noteGap(line.t, line.t, line.text.length, this.fullReason(), 'dom');
      return;
    }
    if (line.text.length > MAX_JOINED_BYTES) {
      this.dropPicture(line.t, line.text.length);
      return;
    }
    if (this.buffer.needsSealBefore(line)) this.seal();
    this.buffer.addDom(line);
    this.afterAdd();
    if (!this.shown) this.flushSoon();
  }

  noteGap(from: number, to: number, bytes: number, reason: GapReason, frame: 'dom' | 'signals' | 'both'): void {
    this.gaps.add(this.host.now(), from, to, bytes, reason, frame);
    this.schedule();
  }

  /** Sends what is there without waiting for the interval. */
  flush(): void {
    this.seal();
    this.pump();
  }

  /** The next batches belong to another stream. */
  switchTo(stream: Stream): void {
    this.seal();
    this.stream = stream;
    this.awaitsKey = false;
    this.shown = false;
    this.credential.open(stream);
    this.pump();
  }

  /** Batches that an earlier document of this tab could not send. */
  adopt(): void {
    for (const { header, signals, dom } of this.leftovers.list()) {
      const { from, to, dom: domHead, signals: signalsHead } = header;
      this.parcels.push({
        stream: this.stream,
        from,
        to,
        key: domHead.key,
        events: domHead.events,
        packed: [
          { bytes: signals, raw: signalsHead.raw, enc: signalsHead.enc },
          { bytes: dom, raw: domHead.raw, enc: domHead.enc },
        ],
        header,
        size: signals.length + dom.length,
        underWay: false,
        packing: false,
        left: true,
        foreign: true,
      });
    }
    if (this.parcels.length) this.schedule();
  }

  /** The page may be gone after this task: everything goes now, in requests that outlive it, or to sessionStorage. */
  sayFarewell(final: boolean, end = false): void {
    if (this.closed) return;
    this.seal();
    if (!this.parcels.length) return;
    this.confirm();
    if (end) this.markEnd();
    this.parcels = this.farewell.pack(this.parcels, this.stream, this.host.now(), final, this.host.deflate());
  }

  /** The page came back after a farewell. */
  resume(): void {
    this.farewell.forgetGap();
    this.retrySoon();
  }

  /** The way may be free again: the browser came online, the page visible. */
  retrySoon(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    this.pump();
  }

  /** Takes nothing any more; what is there is still sent unless `discard`. */
  close(discard: boolean): void {
    this.closed = true;
    clearTimeout(this.flushTimer);
    if (discard) {
      clearTimeout(this.retryTimer);
      this.parcels = [];
    }
    if (!this.parcels.length) this.compressor.close();
  }

  private afterAdd(): void {
    if (this.buffer.isFull) this.seal();
    this.schedule();
    this.flushWhenLarge();
  }

  private schedule(delayMs = FLUSH_INTERVAL_MS): void {
    if (this.closed || this.flushTimer !== undefined) return;
    this.flushTimer = setTimeout(() => {
      this.flushTimer = undefined;
      attempt(() => this.flush());
    }, delayMs);
  }

  /**
   * While the way is blocked small batches would only pile up, and a busy page would make dozens a second, each of which costs the
   * main thread more than its bytes: they grow instead.
   */
  private flushWhenLarge(): void {
    if (this.buffer.size < FLUSH_RAW_BYTES || this.parcels.length) return;
    const now = performance.now();
    if (now - this.largeAt < LARGE_INTERVAL_MS) return;
    this.largeAt = now;
    this.flush();
  }

  private flushSoon(): void {
    this.shown = true;
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    this.schedule(FIRST_FLUSH_MS);
  }

  private seal(): void {
    for (const gap of this.gaps.take()) this.buffer.addSignal(`${JSON.stringify(gap)}\n`, gap.t);
    if (!this.buffer.size) return;
    const buffer = this.buffer;
    this.buffer = new Buffer();
    this.parcels.push(...seal(buffer, this.stream, (bytes) => this.dropPicture(buffer.from, bytes)));
    // The buffer itself is sealed long before it matters.
    if (this.size > SDK_BUFFER_BYTES) this.shrink();
  }

  private dropPicture(t: number, bytes: number): void {
    this.noteGap(t, t, bytes, 'too_large', 'dom');
    this.awaitsKey = true;
  }

  private confirm(): void {
    if (this.confirmed) return;
    this.confirmed = true;
    const { session } = this.stream;
    this.host.beforeFirstSend();
    if (this.stream.session !== session) this.credential.open(this.stream);
  }

  /** Moves the first batch one step: pack it, or send it. One request at a time keeps the order and the server's load. */
  private pump(): void {
    if (this.retryTimer !== undefined) return;
    const next = this.parcels[0];
    if (!next) {
      if (this.closed) this.compressor.close();
      return;
    }
    if (this.parcels.some((parcel) => parcel.underWay || parcel.packing)) return;
    this.confirm();
    if (next.packed) void this.send(next, document.visibilityState === 'hidden' && next.size < KEEPALIVE_BYTES / 2);
    else void this.pack(next);
  }

  private async pack(parcel: Parcel): Promise<void> {
    if (!parcel.contents) return;
    parcel.packing = true;
    const { signals, dom } = parcel.contents;
    const packed = await this.compressor.pack(signals.join(''), dom instanceof Uint8Array ? dom : dom.join(''));
    parcel.packing = false;
    // A farewell or a shortage of memory may have come in between.
    if (parcel.contents && this.parcels.includes(parcel)) {
      parcel.packed = [packed[0], parcel.contents.dom.length ? packed[1] : EMPTY_FRAME];
      delete parcel.contents;
      parcel.size = packed[0].bytes.length + packed[1].bytes.length;
    }
    this.pump();
  }

  private async send(parcel: Parcel, keepalive: boolean): Promise<void> {
    if (!parcel.packed) return;
    const header = parcel.header && parcel.foreign ? parcel.header : address(parcel);
    const credential = this.credential.current(parcel.foreign);
    const [signals, dom] = parcel.packed;
    const body = encodeBody(header, credential, this.host.now(), signals.bytes, dom.bytes);
    if (body.length > MAX_BODY_BYTES) {
      this.settle(parcel, { kind: 'refused', tooLarge: true });
      return;
    }
    parcel.underWay = keepalive ? 'keepalive' : 'plain';
    const outcome = await this.transport.sendBatch(body, 'token' in credential, keepalive);
    parcel.underWay = false;
    if (keepalive && outcome.kind === 'retry' && this.parcels.includes(parcel)) this.farewell.leave(parcel);
    attempt(() => this.settle(parcel, outcome));
  }

  private settle(parcel: Parcel, outcome: Outcome): void {
    if (outcome.kind === 'stop') {
      this.close(true);
      this.host.refused();
      return;
    }
    if (outcome.kind === 'retry') {
      if (this.retryTimer !== undefined || !this.parcels.includes(parcel)) return;
      this.retryTimer = setTimeout(() => this.retrySoon(), this.backoff.fail(outcome.afterMs));
      return;
    }
    this.backoff.succeed();
    if (outcome.kind === 'bad_token') {
      this.credential.drop();
    } else {
      this.forget(parcel);
      if (outcome.kind === 'refused') this.tellRefused(parcel, outcome.tooLarge);
    }
    this.pump();
    this.flushWhenLarge();
  }

  private tellRefused(parcel: Parcel, tooLarge: boolean): void {
    const frame = parcel.packed?.[1].raw ? (parcel.packed[0].raw ? 'both' : 'dom') : 'signals';
    if (parcel.foreign) return;
    this.noteGap(parcel.from, parcel.to, parcel.size, tooLarge ? 'too_large' : 'rejected', frame);
    if (frame !== 'signals') this.host.needKeyFrame();
  }

  private forget(parcel: Parcel): void {
    this.parcels = this.parcels.filter((other) => other !== parcel);
    if (parcel.left && parcel.header) this.leftovers.remove(parcel.header);
  }

  private markEnd(): void {
    const last = this.parcels[this.parcels.length - 1];
    if (last && !last.header) last.end = true;
  }

  private fullReason(): GapReason {
    return navigator.onLine === false ? 'offline' : 'buffer_full';
  }

  /** Drops the oldest pictures first, up to the next key frame behind the bound; signals only when nothing else is left. */
  private shrink(): void {
    const goal = SDK_BUFFER_BYTES * SHRINK_TO;
    let dropping = false;
    for (const parcel of [...this.parcels]) {
      if (dropping && parcel.key && this.size <= goal) return;
      if (!dropping && this.size <= goal) return;
      if (!parcel.underWay && this.dropDom(parcel)) dropping = true;
    }
    this.dropBufferedDom();
    for (const parcel of [...this.parcels]) {
      if (this.size <= goal) break;
      if (parcel.underWay) continue;
      this.noteGap(parcel.from, parcel.to, parcel.size, this.fullReason(), 'signals');
      this.forget(parcel);
    }
  }

  private dropBufferedDom(): void {
    const { dom, domSize } = this.buffer;
    this.awaitsKey = true;
    this.host.needKeyFrame();
    if (!dom.length) return;
    this.noteGap(dom[0]?.t ?? 0, dom[dom.length - 1]?.t ?? 0, domSize, this.fullReason(), 'dom');
    this.buffer.dom = [];
    this.buffer.domSize = 0;
  }

  private dropDom(parcel: Parcel): boolean {
    const bytes = parcel.contents
      ? parcel.size - parcel.contents.signals.reduce((sum, line) => sum + line.length, 0)
      : (parcel.packed?.[1].bytes.length ?? 0);
    if (bytes <= 0) return false;
    this.noteGap(parcel.from, parcel.to, bytes, this.fullReason(), 'dom');
    parcel.size -= bytes;
    parcel.key = false;
    parcel.events = 0;
    delete parcel.part;
    if (parcel.contents) parcel.contents.dom = [];
    if (parcel.packed) parcel.packed = [parcel.packed[0], EMPTY_FRAME];
    if (parcel.header) {
      parcel.header.dom = { ...parcel.header.dom, key: false, events: 0 };
      delete parcel.header.part;
    }
    if (parcel.size <= 0) this.forget(parcel);
    return true;
  }
}
