import { attempt } from '../guard.js';
import { KEEPALIVE_BYTES } from '../limits.js';
import type { Signal } from '../signal.js';
import { EMPTY_FRAME, encodeBody, fixHeader, type Stream } from './batch.js';
import type { Delivery, DeliveryHost, DomLine } from './contract.js';
import { loadDelivery } from './load.js';

const MAX_EARLY_CALLS = 3_000;
const MAX_EARLY_UNITS = 2 << 20;
const RETRY_MS = 10_000;
const HEADER_ROOM_BYTES = 1024;

type Method = keyof Delivery;

/** Stands in for the delivery until its chunk has come, then passes everything on. Bounded, and ready for a page that goes early. */
export class LazyDelivery implements Delivery {
  private delivery: Delivery | undefined;
  private early: [Method, unknown[]][] = [];
  private units = 0;
  private loading = false;
  private closed = false;

  constructor(
    private readonly host: DeliveryHost,
    private readonly first: Stream,
  ) {
    this.load();
  }

  addSignal(signal: Signal): void {
    this.call('addSignal', [signal], 200);
  }

  addDom(line: DomLine): void {
    this.call('addDom', [line], line.text.length);
  }

  noteGap(...values: Parameters<Delivery['noteGap']>): void {
    this.call('noteGap', values);
  }

  flush(): void {
    this.call('flush', []);
  }

  switchTo(stream: Stream): void {
    this.call('switchTo', [stream]);
  }

  sayFarewell(final: boolean, end = false): void {
    if (this.delivery) this.delivery.sayFarewell(final, end);
    else this.sendEarly(end);
  }

  resume(): void {
    this.call('resume', []);
  }

  retrySoon(): void {
    if (this.delivery) this.delivery.retrySoon();
    else this.load();
  }

  close(discard: boolean): void {
    this.closed = true;
    if (discard) this.early = [];
    this.delivery?.close(discard);
  }

  private call(method: Method, values: unknown[], units = 0): void {
    if (this.closed) return;
    if (this.delivery) {
      (this.delivery[method] as (...values: unknown[]) => void)(...values);
      return;
    }
    this.units += units;
    if (this.early.length < MAX_EARLY_CALLS && this.units <= MAX_EARLY_UNITS) this.early.push([method, values]);
  }

  private load(): void {
    if (this.loading || this.delivery) return;
    this.loading = true;
    loadDelivery().then(
      (module) => attempt(() => this.arrive(module.createDelivery(this.host, this.first))),
      () => {
        this.loading = false;
        if (!this.closed) setTimeout(() => this.load(), RETRY_MS);
      },
    );
  }

  private arrive(delivery: Delivery): void {
    this.delivery = delivery;
    const now = this.host.now();
    if (this.early.length >= MAX_EARLY_CALLS || this.units > MAX_EARLY_UNITS) {
      delivery.noteGap(now, now, this.units, 'buffer_full', 'both');
      this.host.needKeyFrame();
    }
    for (const [method, values] of this.early.splice(0)) {
      (delivery[method] as (...values: unknown[]) => void)(...values);
    }
    delivery.flush();
    if (this.closed) delivery.close(false);
  }

  /** The page goes before the chunk came: the signals so far, as they are, in one request that outlives it. */
  private sendEarly(end: boolean): void {
    let text = '';
    let from = Infinity;
    let to = -Infinity;
    const rest: [Method, unknown[]][] = [];
    for (const entry of this.early) {
      const signal = entry[0] === 'addSignal' ? (entry[1][0] as Signal) : undefined;
      const line = signal ? `${JSON.stringify(signal)}\n` : '';
      if (!signal || (text.length + line.length) * 2 > KEEPALIVE_BYTES - HEADER_ROOM_BYTES) {
        rest.push(entry);
        continue;
      }
      text += line;
      from = Math.min(from, signal.t);
      to = Math.max(to, signal.t);
    }
    if (!text) return;
    this.early = rest;
    this.host.beforeFirstSend();
    const bytes = new TextEncoder().encode(text);
    const frame = { bytes, raw: bytes.length, enc: 'none' as const };
    const head = { seq: this.first.nextSeq++, from, to, key: false, events: 0, ...(end ? { end } : {}) };
    const header = fixHeader(this.first, head, frame, EMPTY_FRAME);
    const body = encodeBody(header, { key: this.host.key }, this.host.now(), bytes, EMPTY_FRAME.bytes);
    const { fetch, endpoint } = this.host;
    const headers = { 'Content-Type': 'text/plain' };
    // Nobody is left to hear of a failure.
    fetch(`${endpoint}/v1/batches`, { method: 'POST', body, headers, keepalive: true, credentials: 'omit' }).catch(
      () => undefined,
    );
  }
}
