import { describe, expect, it } from 'vitest';
import { cleanProperties } from '../../src/capture/properties.js';
import { createPrivacy } from '../../src/privacy/index.js';

const clean = (given: Record<string, unknown>) => cleanProperties(given, createPrivacy({}));

describe('properties of a custom event', () => {
  it('keep what tells nothing of anybody, as JSON writes it', () => {
    const given = { plan: 'team', seats: 3, trial: false, none: null, deep: { list: [1, 'two'] } };
    expect(clean(given)).toEqual(given);
    expect(clean({ at: new Date(0), gone: undefined })).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('lose credentials and keep the rest, whatever the credential is', () => {
    const told = clean({
      token: 123456,
      otp: [4, 7, 1, 1],
      card: 4111111111111111,
      note: 'sent with password=hunter2',
      deep: { apiKey: { id: 'hidden-one' }, 'Bearer abcdef123456': 1 },
      plan: 'team',
    });
    expect(told).toMatchObject({ token: '******', otp: '******', card: '******', plan: 'team' });
    const text = JSON.stringify(told);
    for (const secret of ['123456', '4111', 'hunter2', 'hidden-one', 'abcdef']) expect(text).not.toContain(secret);
  });

  it('do not change what the page holds', () => {
    const given = { token: 'mine', deep: { note: 'pin: 4711' } };
    clean(given);
    expect(given).toEqual({ token: 'mine', deep: { note: 'pin: 4711' } });
  });
});
