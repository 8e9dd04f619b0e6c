import { describe, expect, it } from 'vitest';
import { KEEPALIVE_BYTES } from '../../src/limits.js';
import { Buffer as LineBuffer } from '../../src/delivery/buffer.js';
import { Gaps } from '../../src/delivery/gaps.js';
import { seal, smallDom, smallSignals } from '../../src/delivery/parcel.js';
import { deflate } from '../../src/recorder/index.js';
import { KeyFrames } from '../../src/recorder/keyframes.js';
import { HELD_MS, Ring } from '../../src/recorder/ring.js';

const stream = {
  session: '0'.repeat(32),
  stream: '0'.repeat(16),
  tab: 1,
  rates: { dom: 1, dom_on_error: 0, signals: 1 },
  sampled: true,
  nextSeq: 0,
};

describe('KeyFrames', () => {
  const make = (held = false) => {
    const state = { time: 0, taken: 0, idle: [] as (() => void)[] };
    const frames = new KeyFrames(
      () => state.taken++,
      () => state.time,
      () => held,
      (callback) => state.idle.push(callback),
    );
    const runIdle = (): void => state.idle.splice(0).forEach((callback) => callback());
    return { state, frames, runIdle };
  };

  it('takes one when idle, after 30 s and four times the last one’s bytes, and not before', () => {
    const { state, frames, runIdle } = make();
    frames.tookSnapshot(1_000);
    state.time = 31_000;
    frames.recorded(3_999);
    expect(state.idle).toHaveLength(0);
    frames.recorded(1);
    expect(state.taken).toBe(0);
    runIdle();
    expect(state.taken).toBe(1);
    frames.tookSnapshot(1_000);
    frames.recorded(50_000);
    expect(state.idle).toHaveLength(0);
  });

  it('takes none on a page where nothing happens', () => {
    const { state, frames } = make();
    frames.tookSnapshot(1_000);
    state.time = 3_600_000;
    expect(state.idle).toHaveLength(0);
  });

  it('takes none after it was stopped', () => {
    const { state, frames, runIdle } = make();
    frames.schedule();
    frames.stop();
    runIdle();
    expect(state.taken).toBe(0);
  });
});

describe('Ring', () => {
  it('keeps the last minute, from a key frame on', () => {
    const ring = new Ring();
    ring.add({ text: 'lost', t: 0, key: false });
    for (let t = 0; t <= 200_000; t += 10_000) ring.add({ text: `line ${t}`, t, key: t % 30_000 === 0 });
    const lines = ring.take();
    expect(lines[0]?.key).toBe(true);
    expect(lines[0]?.t).toBeLessThanOrEqual(200_000 - HELD_MS);
    expect(lines[0]?.t).toBeGreaterThan(200_000 - HELD_MS - 30_001);
    expect(ring.take()).toEqual([]);
  });

  it('is bounded in bytes', () => {
    const ring = new Ring();
    const text = 'x'.repeat(1 << 20);
    for (let t = 0; t < 40; t++) ring.add({ text, t, key: t === 0 });
    const size = ring.take().reduce((sum, line) => sum + line.text.length, 0);
    expect(size).toBeLessThanOrEqual(9 << 20);
  });
});

describe('Gaps', () => {
  it('makes one of many', () => {
    const gaps = new Gaps();
    for (let t = 0; t < 100; t++) gaps.add(t, t, t + 1, 10, 'offline', 'dom');
    const taken = gaps.take();
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatchObject({ from: 0, to: 100, bytes: 1_000 });
    expect(gaps.take()).toEqual([]);
  });
});

describe('parcels', () => {
  const random = (length: number): string =>
    Array.from({ length }, (_, index) => ((index * 7919 + length * 31 + (index % 97) ** 3) % 36).toString(36)).join('');
  const fill = (lines: string[], key: boolean): LineBuffer => {
    const buffer = new LineBuffer();
    lines.forEach((text, index) => buffer.addDom({ text: `${text}\n`, t: index, key: key && index === 0 }));
    return buffer;
  };
  const refuse = (): never => {
    throw new Error('too large');
  };

  it('cuts the last batch into pieces that a keepalive request takes, and loses nothing', () => {
    const lines = Array.from({ length: 300 }, (_, index) => JSON.stringify({ index, text: random(900 + index) }));
    const [whole] = seal(fill(lines, true), stream, refuse);
    const pieces = smallDom(whole!, undefined);
    expect(pieces.length).toBeGreaterThan(10);
    for (const piece of pieces) expect(piece.packed?.[1].bytes.length).toBeLessThanOrEqual(KEEPALIVE_BYTES - 1024);
    expect(pieces.map((piece) => piece.key)).toEqual(pieces.map((_, index) => index === 0));
    const text = pieces.map((piece) => Buffer.from(piece.packed![1].bytes).toString()).join('');
    expect(text).toBe(lines.map((line) => `${line}\n`).join(''));
    expect(pieces.reduce((sum, piece) => sum + piece.events, 0)).toBe(300);
  });

  it('cuts a key frame that alone is too large into parts', () => {
    const [whole] = seal(fill(['{"type":4}', random(100_000), 'tail'], true), stream, refuse);
    const pieces = smallDom(whole!, undefined);
    const parts = pieces.filter((piece) => piece.part);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.map((piece) => piece.part)).toEqual(parts.map((_, index) => [index, parts.length]));
    expect(pieces[0]?.key).toBe(true);
    const joined = pieces.map((piece) => Buffer.from(piece.packed![1].bytes).toString()).join('');
    expect(joined).toBe(`{"type":4}\n${random(100_000)}\ntail\n`);
  });

  it('packs signals into few requests when zlib is at hand', () => {
    const buffer = new LineBuffer();
    for (let index = 0; index < 1_000; index++)
      buffer.addSignal(`${JSON.stringify({ k: 'custom', t: index, name: 'same' })}\n`, index);
    const [whole] = seal(buffer, stream, refuse);
    expect(smallSignals(whole!, deflate)).toHaveLength(1);
    expect(smallSignals(whole!, undefined).length).toBeGreaterThan(1);
  });
});
