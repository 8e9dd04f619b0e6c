import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fillStub, STUB } from '../../src/stub.js';
import { SDK_VERSION } from '../../src/version.js';

const root = join(import.meta.dirname, '../..');
const gzipBytes = (file: string): number => gzipSync(readFileSync(join(root, 'dist', file)), { level: 9 }).length;

describe('what is shipped', () => {
  it('keeps the script within its size', () => {
    expect(gzipBytes('script/playhead.js')).toBeLessThanOrEqual(18 * 1024);
    expect(gzipBytes('script/playhead-recorder.js')).toBeLessThanOrEqual(35 * 1024);
    expect(gzipBytes('script/playhead-delivery.js')).toBeLessThanOrEqual(10 * 1024);
    expect(gzipBytes('script/playhead-late.js')).toBeLessThanOrEqual(10 * 1024);
  });

  it('keeps what a bundler takes in at once within the same size', () => {
    const esm = readdirSync(join(root, 'dist/esm'));
    const seen = new Set<string>();
    const visit = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      const text = readFileSync(join(root, 'dist/esm', name), 'utf8');
      // Static imports only; what `import()` names is loaded later.
      for (const match of text.matchAll(/(?:from|import)"\.\/([\w.-]+)"/g)) if (match[1]) visit(match[1]);
    };
    visit('index.js');
    // One file in the end, as bundlers make of them.
    const whole = Buffer.concat([...seen].map((name) => readFileSync(join(root, 'dist/esm', name))));
    expect(gzipSync(whole, { level: 9 }).length).toBeLessThanOrEqual(18 * 1024);
    expect(esm.some((name) => name.includes('recorder'))).toBe(true);
  });

  it('asks for no more than 500 bytes in the page’s head', () => {
    const key = `phk_${'0'.repeat(40)}`;
    expect(fillStub('https://playhead.example.com', key).length).toBeLessThanOrEqual(500);
    expect(readFileSync(join(root, 'dist/stub.txt'), 'utf8')).toBe(STUB);
    expect(STUB.match(/__ORIGIN__|__KEY__/g)).toEqual(['__ORIGIN__', '__KEY__']);
  });

  it('tells its own version', () => {
    const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>;
    expect(SDK_VERSION).toBe(`${name} ${version}`);
  });
});
