import { describe, expect, test } from 'vitest';
import { debugIdsOf } from '../../src/capture/debug-ids.js';
import { tellBody } from '../../src/capture/late/body.js';
import { phasesOf, serverTimingOf, TimingMatcher } from '../../src/capture/late/timing.js';
import type { CaptureContext } from '../../src/capture/context.js';
import type { Started } from '../../src/capture/network/flight.js';
import { traceOf } from '../../src/capture/network/trace.js';
import { patchMethod } from '../../src/capture/patch.js';
import { serialize } from '../../src/capture/serialize.js';
import { createPrivacy } from '../../src/privacy/index.js';

const privacy = createPrivacy({});
const limits = { depth: 3, members: 3, length: 60 };

describe('serialize', () => {
  test('keeps the length in bounds whatever comes', () => {
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`name${at}`, 'v'.repeat(1000)]));
    for (const value of ['x'.repeat(1e5), wide, [wide, [wide]], new Map([[wide, wide]]), [['a'.repeat(1e5)]]]) {
      const { text, truncated } = serialize(value, privacy, limits);
      expect(text.length).toBeLessThan(160);
      expect(truncated).toBe(true);
    }
  });

  test('a secret is not given away by the cut that hides its end', () => {
    const text = `{"user":"ada","password":"correct horse battery staple and more"}`;
    const cut = serialize(text, privacy, { ...limits, length: 40 });
    expect(cut.text).toContain('ada');
    expect(cut.text).not.toContain('correct');
    expect(serialize({ apiKey: 'abc', rows: [{ session_token: 'def' }] }, privacy, limits).text).toBe(
      '{apiKey: ******, rows: [{session_token: ******}]}',
    );
  });
});

describe('bodies', () => {
  const context = { privacy, options: { networkBodyLimit: 50 } } as unknown as CaptureContext;

  test('are masked before they are cut, whether JSON, a form, or cut off themselves', () => {
    expect(tellBody('{"password":{"old":"a","new":"b"},"ok":true}', context)).toBe('{"password":"******","ok":true}');
    expect(tellBody('password=hunter2&name=ada', context)).toBe('password=******&name=ada');
    const long = tellBody(`{"name":"ada","password":"${'secret '.repeat(20)}"`, context);
    expect(long).not.toContain('secret');
    expect(long.length).toBeLessThanOrEqual(51);
  });
});

describe('timing', () => {
  const entry = (name: string, startTime: number, more = {}): PerformanceResourceTiming =>
    ({ name, startTime, initiatorType: 'fetch', ...more }) as PerformanceResourceTiming;
  const at = (address: string, startedAt: number): Started => ({ address, startedAt });

  test('a match counts only when it is the only one both ways', () => {
    const [first, second, third] = [at('http://a/x', 100), at('http://a/x', 200), at('http://a/x', 205)] as const;
    const matcher = new TimingMatcher([first, second, third]);
    matcher.addEntry(entry('http://a/x#part', 100.2));
    matcher.addEntry(entry('http://a/x', 205.1));
    matcher.addEntry(entry('http://a/x', 300, { initiatorType: 'img' }));
    expect(matcher.match(first)?.startTime).toBe(100.2);
    expect(matcher.match(second)).toBeUndefined();
    expect(matcher.match(third)).toBeUndefined();
    expect(matcher.match(at('http://a/y', 100))).toBeUndefined();
  });

  const phases = {
    fetchStart: 2,
    domainLookupStart: 5,
    domainLookupEnd: 9,
    connectStart: 9,
    secureConnectionStart: 14,
    connectEnd: 20,
    requestStart: 21,
    responseStart: 71,
    responseEnd: 80,
  };

  test('phases of a new and of a used connection, and none where the browser hides them', () => {
    expect(phasesOf(entry('', 0, phases))).toEqual({
      queued_ms: 5,
      dns_ms: 4,
      connect_ms: 5,
      tls_ms: 6,
      wait_ms: 50,
      download_ms: 9,
    });
    const used = { domainLookupStart: 2, domainLookupEnd: 2, connectStart: 2, connectEnd: 2, secureConnectionStart: 2 };
    expect(phasesOf(entry('', 0, { ...phases, ...used }))).toEqual({
      queued_ms: 21,
      dns_ms: 0,
      connect_ms: 0,
      tls_ms: 0,
      wait_ms: 50,
      download_ms: 9,
    });
    expect(phasesOf(entry('', 0, { responseEnd: 80, requestStart: 0, responseStart: 0 }))).toBeUndefined();
  });

  test('a server’s timing without a duration has none, and descriptions are redacted', () => {
    const serverTiming = [{ name: 'db', duration: 0, description: 'token=abc' }];
    expect(serverTimingOf(entry('', 0, { serverTiming }), privacy.redactText)).toEqual([
      { name: 'db', description: 'token=******' },
    ]);
  });

  test('a trace is read from its W3C form alone', () => {
    expect(traceOf('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')).toEqual([
      '0af7651916cd43dd8448eb211c80319c',
      'b7ad6b7169203331',
    ]);
    expect(traceOf('0af7651916cd43dd8448eb211c80319c')).toEqual([]);
    expect(traceOf(null)).toEqual([]);
  });
});

describe('debug ids', () => {
  test('keys may be stacks of any browser or addresses', () => {
    Reflect.set(globalThis, '__playheadDebugIds', {
      'Error\n    at https://a.test/one.js:1:10': '1',
      '@https://a.test/two.js:1:10\n': '2',
      'https://a.test/three.js': '3',
      'https://a.test/four.js': '4',
    });
    const stack =
      'Error: x\n    at f (https://a.test/one.js:5:1)\n@https://a.test/two.js:1:1\n at https://a.test/three.js:2:2';
    expect(debugIdsOf(stack, (url) => url)).toEqual({
      'https://a.test/one.js': '1',
      'https://a.test/two.js': '2',
      'https://a.test/three.js': '3',
    });
    expect(debugIdsOf('', (url) => url)).toBeUndefined();
  });
});

describe('patches', () => {
  test('keep this, arguments, results and throws; undo in any order', () => {
    const owner = {
      base: 1,
      add(value: number) {
        if (value < 0) throw new RangeError('negative');
        return this.base + value;
      },
    };
    const native = owner.add;
    let calls = 0;
    const undo = patchMethod(owner, 'add', (_self, _args, callOriginal) => {
      calls++;
      return callOriginal();
    });
    const ours = owner.add;
    patchMethod(owner, 'add', () => 'never')();
    expect(owner.add).toBe(ours);
    expect(owner.add(2)).toBe(3);
    expect(() => owner.add(-1)).toThrow(RangeError);
    owner.add = function (value) {
      return ours.call(this, value) * 10;
    };
    undo();
    expect(owner.add(2)).toBe(30);
    expect(calls).toBe(2);
    owner.add = ours;
    undo();
    expect(owner.add).toBe(native);
  });

  test('leave alone what is frozen or missing', () => {
    const frozen = Object.freeze({ run: () => 1 });
    patchMethod(frozen, 'run', () => 2)();
    patchMethod(frozen, 'missing', () => 2)();
    expect(frozen.run()).toBe(1);
  });
});
