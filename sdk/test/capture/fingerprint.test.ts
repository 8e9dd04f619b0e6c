import { expect, test } from 'vitest';
import type { CaptureContext } from '../../src/capture/context.js';
import { errorSignalOf } from '../../src/capture/error-signal.js';
import { createPrivacy } from '../../src/privacy/index.js';

const context = { privacy: createPrivacy({}), now: () => 1 } as unknown as CaptureContext;

function fingerprintOf(fingerprint: unknown): string[] | undefined {
  const details = { mechanism: 'captured' as const, handled: true, fingerprint: fingerprint as string[] };
  return errorSignalOf(new Error('x'), details, context).fingerprint;
}

test('what the page groups by is sent as texts, bounded', () => {
  expect(fingerprintOf(['checkout', '{{ default }}', 42])).toEqual(['checkout', '{{ default }}', '42']);
  expect(fingerprintOf(Array.from({ length: 30 }, () => 'x'.repeat(999)))).toEqual(Array(10).fill('x'.repeat(200)));
  for (const nothing of [undefined, [], 'checkout', { length: 3 }]) expect(fingerprintOf(nothing)).toBeUndefined();
});
