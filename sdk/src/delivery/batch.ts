import { MAX_HEADER_BYTES } from '../limits.js';

export type Encoding = 'none' | 'deflate';

/** A frame ready for the wire. */
export interface Frame {
  bytes: Uint8Array;
  /** Exact length once inflated. */
  raw: number;
  enc: Encoding;
}

export const EMPTY_FRAME: Frame = { bytes: new Uint8Array(0), raw: 0, enc: 'none' };

export interface Rates {
  dom: number;
  dom_on_error: number;
  signals: number;
}

/** What all batches of one stream share. The session may change until the first batch is sent. */
export interface Stream {
  session: string;
  stream: string;
  tab: number;
  rates: Rates;
  sampled: boolean;
  /** The `seq` of the next batch that is sent. */
  nextSeq: number;
}

/** The members of a header that belong to one batch. */
export interface BatchHead {
  seq: number;
  from: number;
  to: number;
  /** The dom frame begins with a key frame. */
  key: boolean;
  /** Number of dom events. */
  events: number;
  part?: [number, number];
  end?: boolean;
}

/** Everything of a header that does not change from one attempt to the next. */
export interface FixedHeader {
  v: 1;
  session: string;
  stream: string;
  seq: number;
  tab: number;
  from: number;
  to: number;
  signals: { len: number; raw: number; enc: Encoding };
  dom: { len: number; raw: number; enc: Encoding; key: boolean; events: number };
  rates: Rates;
  sampled: boolean;
  part?: [number, number];
  end?: true;
}

export function fixHeader(
  stream: Pick<Stream, 'session' | 'stream' | 'tab' | 'rates' | 'sampled'>,
  head: BatchHead,
  signals: Frame,
  dom: Frame,
): FixedHeader {
  return {
    v: 1,
    session: stream.session,
    stream: stream.stream,
    seq: head.seq,
    tab: stream.tab,
    from: head.from,
    to: head.to,
    signals: { len: signals.bytes.length, raw: signals.raw, enc: signals.enc },
    dom: { len: dom.bytes.length, raw: dom.raw, enc: dom.enc, key: head.key, events: head.events },
    rates: stream.rates,
    sampled: stream.sampled,
    ...(head.part ? { part: head.part } : {}),
    ...(head.end ? { end: true as const } : {}),
  };
}

/** The body of one attempt: the header line stamped with `sent` and the credential, then both frames. */
export function encodeBody(
  fixed: FixedHeader,
  credential: { key: string } | { token: string },
  sent: number,
  signals: Uint8Array,
  dom: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { v, ...rest } = fixed;
  const line = new TextEncoder().encode(`${JSON.stringify({ v, ...credential, sent, ...rest })}\n`);
  if (line.length - 1 > MAX_HEADER_BYTES) throw new RangeError('header over its limit');
  const body = new Uint8Array(line.length + signals.length + dom.length);
  body.set(line);
  body.set(signals, line.length);
  body.set(dom, line.length + signals.length);
  return body;
}
