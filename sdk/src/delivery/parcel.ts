import { KEEPALIVE_BYTES, MAX_PARTS, PART_RAW_BYTES } from '../limits.js';
import { EMPTY_FRAME, type FixedHeader, fixHeader, type Frame, type Stream } from './batch.js';
import type { Buffer } from './buffer.js';
import { packNow, type Packed, toBytes } from './compressor.js';
import type { Deflate } from './contract.js';

/** The lines of one batch before they are packed. A part of a split event is bytes. */
export interface Contents {
  signals: string[];
  dom: string[] | Uint8Array;
}

/** A batch on its way: sealed, then packed, then sent until the server takes it. */
export interface Parcel {
  stream: Stream;
  from: number;
  to: number;
  key: boolean;
  events: number;
  part?: [number, number];
  /** All parts of one split event; their `seq`s follow each other. */
  group?: Parcel[];
  end?: boolean;
  /** Gone once packed. */
  contents?: Contents;
  packed?: Packed;
  /** Set at the first attempt. */
  header?: FixedHeader;
  /** Bytes in memory. */
  size: number;
  /** How it is being sent right now; a keepalive request outlives the page. */
  underWay: false | 'plain' | 'keepalive';
  packing: boolean;
  /** Also lies in sessionStorage. */
  left: boolean;
  /** Of an earlier document of this tab. */
  foreign: boolean;
}

function parcel(stream: Stream, from: number, to: number, contents: Contents, size: number): Parcel {
  return {
    stream,
    from,
    to,
    contents,
    size,
    key: false,
    events: 0,
    underWay: false,
    packing: false,
    left: false,
    foreign: false,
  };
}

/** Cuts bytes into equal ranges of at most `limit`. */
export function cut(bytes: Uint8Array, limit: number): Uint8Array[] {
  const count = Math.ceil(bytes.length / limit);
  const step = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * step, (index + 1) * step));
}

/** A dom frame that fits no batch as consecutive parts; undefined when even the parts would be too many. */
function split(stream: Stream, bytes: Uint8Array, head: Parcel, limit: number): Parcel[] | undefined {
  const ranges = cut(bytes, limit);
  if (ranges.length > MAX_PARTS) return undefined;
  const group: Parcel[] = ranges.map((range, index) => ({
    ...parcel(stream, head.from, head.to, { signals: [], dom: range }, range.length),
    key: head.key && index === 0,
    events: index === 0 ? head.events : 0,
    part: [index, ranges.length],
  }));
  for (const member of group) member.group = group;
  return group;
}

/** Seals what the buffer holds. `tooLarge` is told of an event that even splitting does not make small enough. */
export function seal(buffer: Buffer, stream: Stream, tooLarge: (bytes: number) => void): Parcel[] {
  const dom = buffer.dom.map((line) => line.text);
  const whole = parcel(stream, buffer.from, buffer.to, { signals: buffer.signals, dom }, buffer.size);
  whole.key = buffer.dom[0]?.key ?? false;
  whole.events = dom.length;
  // Three bytes a unit is the most that UTF-8 takes: below that nothing needs to be measured.
  if (buffer.domSize * 3 <= PART_RAW_BYTES) return [whole];
  const bytes = toBytes(dom.join(''));
  if (bytes.length <= PART_RAW_BYTES) return [whole];
  const group = split(stream, bytes, whole, PART_RAW_BYTES);
  if (!group) tooLarge(bytes.length);
  const signals = {
    ...whole,
    key: false,
    events: 0,
    contents: { signals: buffer.signals, dom: [] },
    size: buffer.signalsSize,
  };
  return [...(buffer.signals.length ? [signals] : []), ...(group ?? [])];
}

/** Fixes the header at the first attempt; the parts of one event get consecutive numbers. */
export function address(item: Parcel): FixedHeader {
  for (const member of item.group ?? [item]) member.header ??= headerOf(member, member.stream.nextSeq++);
  const header = item.header as FixedHeader;
  const [signals, dom] = item.packed ?? [EMPTY_FRAME, EMPTY_FRAME];
  header.signals = { len: signals.bytes.length, raw: signals.raw, enc: signals.enc };
  header.dom = { ...header.dom, len: dom.bytes.length, raw: dom.raw, enc: dom.enc };
  return header;
}

function headerOf(item: Parcel, seq: number): FixedHeader {
  const { from, to, key, events, part, end } = item;
  const head = { seq, from, to, key, events, ...(part ? { part } : {}), ...(end ? { end } : {}) };
  const [signals, dom] = item.packed ?? [EMPTY_FRAME, EMPTY_FRAME];
  return fixHeader(item.stream, head, signals, dom);
}

/** Room for the header line in a small request. */
const HEADER_ROOM_BYTES = 1024;
const SMALL_BYTES = KEEPALIVE_BYTES - HEADER_ROOM_BYTES;

/** Packs without waiting for anything. */
export function packParcelNow(item: Parcel, deflate: Deflate | undefined): void {
  if (item.packed || !item.contents) return;
  const { signals, dom } = item.contents;
  item.packed = [packNow(signals.join(''), deflate), packNow(dom instanceof Uint8Array ? dom : dom.join(''), deflate)];
  delete item.contents;
  item.size = item.packed[0].bytes.length + item.packed[1].bytes.length;
}

function packedPiece(source: Parcel, signals: Frame, dom: Frame, events: number, key: boolean): Parcel {
  const size = signals.bytes.length + dom.bytes.length;
  const piece = parcel(source.stream, source.from, source.to, { signals: [], dom: [] }, size);
  delete piece.contents;
  return { ...piece, packed: [signals, dom], events, key };
}

/** Cuts lines into about `count` runs of equal size, at least one line each. */
function runsOf(lines: string[], count: number): string[][] {
  const target = lines.reduce((sum, line) => sum + line.length, 0) / count;
  const runs: string[][] = [];
  let size = Infinity;
  for (const line of lines) {
    if (size >= target) {
      runs.push([]);
      size = 0;
    }
    runs[runs.length - 1]?.push(line);
    size += line.length;
  }
  return runs;
}

/** Lines in runs whose packed size is small; a line that alone is too large is a run of its own. */
function smallRuns(lines: string[], deflate: Deflate | undefined): { frame: Frame; lines: string[] }[] {
  const frame = packNow(lines.join(''), deflate);
  if (frame.bytes.length <= SMALL_BYTES || lines.length === 1) return [{ frame, lines }];
  // The packed size tells how many runs it takes: packing whole halves again and again would hold up the page's leaving.
  const runs = runsOf(lines, Math.ceil((frame.bytes.length / SMALL_BYTES) * 1.25));
  if (runs.length === 1) return runsOf(lines, lines.length).flatMap((run) => smallRuns(run, deflate));
  return runs.flatMap((run) => smallRuns(run, deflate));
}

export function smallSignals(source: Parcel, deflate: Deflate | undefined): Parcel[] {
  const lines = source.contents?.signals ?? [];
  if (!lines.length) return [];
  return smallRuns(lines, deflate).map(({ frame }) => packedPiece(source, frame, EMPTY_FRAME, 0, false));
}

/** The dom of a sealed batch in pieces that a keepalive request takes. A key frame stays at the start of its piece. */
export function smallDom(source: Parcel, deflate: Deflate | undefined): Parcel[] {
  const lines = (source.contents?.dom ?? []) as string[];
  if (!lines.length) return [];
  // Meta and snapshot belong together: they are packed, and if need be cut, as one line.
  const units = source.key && lines.length > 1 ? [`${lines[0]}${lines[1]}`, ...lines.slice(2)] : lines;
  return smallRuns(units, deflate).flatMap(({ frame, lines: run }, index) => {
    const key = source.key && index === 0;
    const events = run.length + (key && units !== lines ? 1 : 0);
    const piece = packedPiece(source, EMPTY_FRAME, frame, events, key);
    if (frame.bytes.length <= SMALL_BYTES) return [piece];
    const bytes = toBytes(run.join(''));
    const limit = Math.floor((bytes.length * SMALL_BYTES * 0.9) / frame.bytes.length);
    const group = split(source.stream, bytes, piece, limit) ?? [piece];
    for (const member of group) packParcelNow(member, deflate);
    return group;
  });
}
