// The part of values.schema.json that mirrors the configuration file, made from what the binary says of itself.
import { settings } from './binary.mjs';

// Engines inside `playhead up`, and what only it serves.
const EMBEDDED_SECTIONS = ['log', 'store'];
const EMBEDDED_SETTINGS = ['data', 'demo'];
// Taken from secrets by reference, and paths of certificates from `certificates`.
const BY_REFERENCE = [
  'kafka.sasl_password',
  'kafka.ssl_key_password',
  'kafka.ssl_ca_location',
  'kafka.ssl_certificate_location',
  'kafka.ssl_key_location',
  'scylla.password',
  'scylla.tls_authorities',
  'blobs.access_key_id',
  'blobs.secret_access_key',
];

export function configSchema() {
  const root = table();
  for (const { section, name, value } of settings()) {
    const path = section === '' ? name : `${section}.${name}`;
    if (EMBEDDED_SECTIONS.includes(section) || EMBEDDED_SETTINGS.includes(path) || BY_REFERENCE.includes(path))
      continue;
    const tables = path.split('.');
    const last = tables.pop();
    const parent = tables.reduce((outer, inner) => (outer.properties[inner] ??= table()), root);
    parent.properties[last] = typed(path, value);
  }
  return root;
}

/** Settings that the chart sets by reference. */
export const byReference = () => [...BY_REFERENCE];

const table = () => ({ type: 'object', additionalProperties: false, properties: {} });

function typed(path, value) {
  if (value.startsWith('"')) return { type: 'string' };
  if (value.startsWith('[')) return { type: 'array', items: { type: 'string' } };
  if (value === 'true' || value === 'false') return { type: 'boolean' };
  if (/^[0-9]+$/.test(value)) return { type: 'integer', minimum: 0 };
  if (/^[0-9.]+$/.test(value)) return { type: 'number', minimum: 0 };
  throw new Error(`of which type is ${path}, ${value}?`);
}
