import type { Privacy } from '../privacy/privacy.js';
import { isSecretName, MASK } from '../privacy/redact.js';

/**
 * What a page tells along with a custom event, as JSON would write it and without credentials: a copy. Value by value, since
 * a mask in the middle of the written text may leave no JSON.
 */
export function cleanProperties(given: Record<string, unknown>, privacy: Privacy): Record<string, unknown> {
  const clean = (name: string, value: unknown): unknown => {
    if (isSecretName(name)) return MASK;
    switch (typeof value) {
      case 'string':
        return privacy.redactText(value);
      case 'number': {
        const text = String(value);
        return privacy.redactText(text) === text ? value : MASK;
      }
      case 'object':
        if (value === null || Array.isArray(value)) return value;
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [privacy.redactText(key), inner]));
      default:
        return value;
    }
  };
  return JSON.parse(JSON.stringify(given, clean)) as Record<string, unknown>;
}
