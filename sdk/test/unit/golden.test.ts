import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EMPTY_FRAME, encodeBody, fixHeader, type BatchHead, type Frame } from '../../src/delivery/batch.js';
import { packNow } from '../../src/delivery/compressor.js';
import * as limits from '../../src/limits.js';
import { deflate } from '../../src/recorder/index.js';
import type { Signal } from '../../src/signal.js';
import { decodeBatch } from '../collector.js';

// Set to write the vectors anew after a deliberate change of the format.
const REWRITE = process.env.PLAYHEAD_WRITE_GOLDEN === '1';
const folder = join(import.meta.dirname, '../../../proto/golden');

const stream = {
  session: '00112233445566778899aabbccddeeff',
  stream: '0123456789abcdef',
  tab: 2,
  rates: { dom: 0.5, dom_on_error: 1, signals: 1 },
  sampled: true,
};
const key = { key: `phk_${'0123456789abcdefghjkmnpqrstvwxyz01234567'}` };
const SENT = 1767225600123.5;

const signals: Signal[] = [
  {
    k: 'navigation',
    t: 1767225595000.2,
    url: 'https://shop.example/cart?token=******',
    from: '',
    how: 'load',
    title: 'Cart – Ünïcode ✓',
  },
  {
    k: 'error',
    t: 1767225596000,
    id: '0011223344556677',
    type: 'TypeError',
    message: 'x is undefined',
    mechanism: 'uncaught',
    handled: false,
    url: 'https://shop.example/cart',
  },
  { k: 'console', t: 1767225597000.7, level: 'warn', args: ['line one\nline two', '{"a":1}'], count: 3 },
];
const meta = {
  type: 4,
  data: { href: 'https://shop.example/cart', width: 1280, height: 720 },
  timestamp: 1767225595000.2,
};
const snapshot = {
  type: 2,
  data: {
    node: {
      type: 0,
      id: 1,
      childNodes: Array.from({ length: 60 }, (_, id) => ({ type: 3, id: id + 2, textContent: `Größe ${id} 🙂` })),
    },
  },
  timestamp: 1767225595003,
};

const lines = (values: unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
const head = (seq: number, more: Partial<BatchHead> = {}): BatchHead => ({
  seq,
  from: 1767225595000.2,
  to: 1767225597000.7,
  key: false,
  events: 0,
  ...more,
});

interface Vector {
  name: string;
  credential: { key: string } | { token: string };
  head: BatchHead;
  signals: Frame;
  dom: Frame;
}

const bytesOfDom = new TextEncoder().encode(lines([meta, snapshot]));
const third = Math.ceil(bytesOfDom.length / 3);
const vectors: Vector[] = [
  { name: 'signals', credential: key, head: head(0), signals: packNow(lines(signals), undefined), dom: EMPTY_FRAME },
  {
    name: 'both',
    credential: key,
    head: head(1, { key: true, events: 2 }),
    signals: packNow(lines(signals), deflate),
    dom: packNow(lines([meta, snapshot]), deflate),
  },
  ...[0, 1, 2].map((index) => ({
    name: `part-${index}`,
    credential: { token: 'eyJhbGciOiJFZERTQSJ9.e30.c2ln' },
    head: head(2 + index, { key: index === 0, events: index === 0 ? 2 : 0, part: [index, 3] as [number, number] }),
    signals: EMPTY_FRAME,
    dom: packNow(bytesOfDom.slice(index * third, (index + 1) * third), deflate),
  })),
  {
    name: 'end',
    credential: key,
    head: head(5, { end: true }),
    signals: packNow(lines([{ k: 'end', t: 1767225597000.7, reason: 'stop' }]), undefined),
    dom: EMPTY_FRAME,
  },
];

describe('golden batches', () => {
  it.each(vectors)('$name is written as the contract says', (vector) => {
    const fixed = fixHeader(stream, vector.head, vector.signals, vector.dom);
    const body = encodeBody(fixed, vector.credential, SENT, vector.signals.bytes, vector.dom.bytes);
    const decoded = decodeBatch(Buffer.from(body));
    const described = `${JSON.stringify({ header: decoded.header, signals: decoded.signals, dom: decoded.dom.toString('utf8') }, null, 2)}\n`;
    const file = (extension: string): string => join(folder, `sdk-batch-${vector.name}.${extension}`);
    if (REWRITE || !existsSync(file('bin'))) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file('bin'), body);
      writeFileSync(file('json'), described);
    }
    expect(Buffer.from(body).equals(readFileSync(file('bin')))).toBe(true);
    expect(described).toBe(readFileSync(file('json'), 'utf8'));
  });

  it('joins parts to the bytes of the whole', () => {
    const parts = [0, 1, 2].map((index) => decodeBatch(readFileSync(join(folder, `sdk-batch-part-${index}.bin`))).dom);
    expect(Buffer.concat(parts).equals(Buffer.from(bytesOfDom))).toBe(true);
  });

  it('shares the limits with the server', () => {
    const golden = JSON.parse(readFileSync(join(folder, 'limits.json'), 'utf8')) as Record<string, number>;
    const ours = limits as Record<string, number>;
    for (const [name, value] of Object.entries(ours)) {
      if (name in golden) expect([name, value]).toEqual([name, golden[name]]);
    }
    expect(Object.keys(ours).filter((name) => name in golden).length).toBeGreaterThan(10);
  });
});
