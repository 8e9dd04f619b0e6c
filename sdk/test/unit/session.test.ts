import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_SESSION_MS } from '../../src/limits.js';
import { projectOf, resolve, type StartOptions, withValidNumbers } from '../../src/options.js';
import { SessionKeeper } from '../../src/session/keeper.js';
import { shareOf } from '../../src/session/sampling.js';
import type { Slot } from '../../src/session/storage.js';
import { Tab } from '../../src/session/tab.js';

const IDLE_MS = 30 * 60_000;
let time = 0;
const now = (): number => time;
const memorySlot = (): Slot => {
  let value: string | undefined;
  return { read: () => value, write: (text) => (value = text), clear: () => (value = undefined) };
};

beforeEach(() => {
  time = 1_767_225_600_000;
});

describe('SessionKeeper', () => {
  it('goes on with a visit that is not over, and begins another after the idle limit', () => {
    const slot = memorySlot();
    const first = new SessionKeeper(slot, IDLE_MS, now).record.id;
    time += IDLE_MS - 1;
    expect(new SessionKeeper(slot, IDLE_MS, now).record.id).toBe(first);
    time += IDLE_MS + 1;
    expect(new SessionKeeper(slot, IDLE_MS, now).record.id).not.toBe(first);
  });

  it('counts what another tab saw as activity', () => {
    const slot = memorySlot();
    const one = new SessionKeeper(slot, IDLE_MS, now);
    const other = new SessionKeeper(slot, IDLE_MS, now);
    time += IDLE_MS - 1_000;
    other.touch(true);
    time += 2_000;
    expect(one.overReason()).toBeUndefined();
    time += IDLE_MS;
    expect(one.overReason()).toBe('idle');
  });

  it('ends a visit that lasts too long', () => {
    const keeper = new SessionKeeper(memorySlot(), IDLE_MS, now);
    for (let passed = 0; passed <= MAX_SESSION_MS; passed += IDLE_MS / 2) {
      time += IDLE_MS / 2;
      if (passed < MAX_SESSION_MS - IDLE_MS) keeper.touch(true);
    }
    keeper.record.seen = time;
    expect(keeper.overReason()).toBe('max_length');
  });

  it('agrees with a tab that opened at the same moment, before the first send', () => {
    let value: string | undefined;
    let hidden = true;
    const slot: Slot = {
      read: () => (hidden ? undefined : value),
      write: (text) => (value = text),
      clear: () => undefined,
    };
    const one = new SessionKeeper(slot, IDLE_MS, now);
    const other = new SessionKeeper(slot, IDLE_MS, now);
    hidden = false;
    expect(one.record.id).not.toBe(other.record.id);
    one.confirm();
    other.confirm();
    expect(one.record.id).toBe(other.record.id);
  });

  it('does not write over a newer session of another tab', () => {
    const slot = memorySlot();
    const one = new SessionKeeper(slot, IDLE_MS, now);
    slot.clear();
    time += 10_000;
    const other = new SessionKeeper(slot, IDLE_MS, now);
    one.touch(true);
    expect(one.stored()?.id).toBe(other.record.id);
    one.renew();
    expect(one.record.id).toBe(other.record.id);
  });

  it.each([
    '',
    'nonsense',
    '{}',
    '{"id":"x"}',
    '{"id":"00112233445566778899aabbccddeeff","started":"a","seen":1,"tabs":1}',
  ])('is not led astray by %s in storage', (text) => {
    const slot = memorySlot();
    slot.write(text);
    expect(new SessionKeeper(slot, IDLE_MS, now).record.id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('does not trust a record from the future', () => {
    const slot = memorySlot();
    const first = new SessionKeeper(slot, IDLE_MS, now).record.id;
    time -= 2 * MAX_SESSION_MS;
    expect(new SessionKeeper(slot, IDLE_MS, now).record.id).not.toBe(first);
  });
});

describe('Tab', () => {
  it('keeps its number from one document to the next, but not in a copy', () => {
    const keeper = new SessionKeeper(memorySlot(), IDLE_MS, now);
    const slot = memorySlot();
    const first = new Tab(slot, keeper);
    const copied = memorySlot();
    copied.write(slot.read() ?? '');
    expect(new Tab(copied, keeper).number).toBe(2);
    first.mark(true);
    expect(new Tab(slot, keeper).number).toBe(1);
    expect(new Tab(memorySlot(), keeper).number).toBe(3);
  });
});

describe('sampling', () => {
  it('decides by the id alone, evenly and apart for each purpose', () => {
    const hex = (value: number): string => value.toString(16).padStart(8, '0');
    const id = `${hex(0)}${hex(0x80000000)}${hex(0xffffffff)}${hex(0)}`;
    expect(shareOf(id, 'dom')).toBe(0);
    expect(shareOf(id, 'error')).toBe(0.5);
    expect(shareOf(id, 'signals')).toBeLessThan(1);
  });
});

describe('options', () => {
  it('reads the project out of the public key', () => {
    // 0x0123456789abcdef: its bytes are the first 64 bits of the key.
    const bits = [...'0123456789abcdef'].map((digit) => parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    const digits =
      `${bits}0`
        .match(/.{5}/g)
        ?.map((group) => alphabet[parseInt(group, 2)])
        .join('') ?? '';
    const expected = bits
      .padStart(65, '0')
      .match(/.{5}/g)
      ?.map((group) => alphabet[parseInt(group, 2)])
      .join('');
    expect(projectOf(`phk_${digits}${'0'.repeat(27)}`)).toBe(expected);
  });

  it('says what is wrong instead of throwing', () => {
    expect(resolve({ key: 'x' }, undefined)).toContain('public key');
    expect(resolve({ key: `phk_${'0'.repeat(40)}` }, undefined)).toContain('endpoint');
  });

  const given = { key: `phk_${'0'.repeat(40)}`, endpoint: 'https://p.example/' };

  it.each([
    ['sampleRate', 'x'],
    ['sampleRate', ''],
    ['sampleRate', NaN],
    ['sampleRate', 50],
    ['onErrorSampleRate', -0.1],
    ['signalSampleRate', '0.5'],
    ['signalSampleRate', null],
    ['maxIdleMs', 0],
    ['maxIdleMs', 'soon'],
  ])('tells of a number that is none and goes on as without it: %s %j', (name, value) => {
    const messages: string[] = [];
    const valid = withValidNumbers({ ...given, [name]: value } as StartOptions, (message) => messages.push(message));
    expect(valid).toEqual(given);
    expect(messages).toEqual([expect.stringMatching(new RegExp(`^${name} must be a number .*: it is ignored$`))]);
    expect(messages[0]).toContain(typeof value === 'string' ? `not "${value}"` : 'not ');
    expect(resolve(valid, undefined)).toEqual(resolve(given, undefined));
  });

  it('keeps what else there is to capture when the limit of bodies is none', () => {
    const messages: string[] = [];
    const capture = { networkBodyLimit: '1k' as unknown as number, console: false };
    const valid = withValidNumbers({ ...given, capture }, (message) => messages.push(message));
    expect(valid.capture).toEqual({ console: false });
    expect(messages).toHaveLength(1);
    expect(capture.networkBodyLimit).toBe('1k');
  });

  it('takes the ends of every range without a word', () => {
    const valid = { ...given, sampleRate: 0, onErrorSampleRate: 1, signalSampleRate: 0.5, maxIdleMs: 1 };
    const tell = (message: string): never => {
      throw new Error(message);
    };
    expect(withValidNumbers(valid, tell)).toEqual(valid);
    expect(resolve(valid, undefined)).toMatchObject({ sampleRate: 0, onErrorSampleRate: 1, maxIdleMs: 1 });
    expect(resolve(given, undefined)).toMatchObject({
      sampleRate: 1,
      endpoint: 'https://p.example',
      maxIdleMs: 1_800_000,
    });
  });
});
