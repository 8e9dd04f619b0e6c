// Brings definitions.config of values.schema.json up to date: `PLAYHEAD_BINARY=… node helm/checks/write-schema.mjs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { chart } from './helm.mjs';
import { configSchema } from './config-schema.mjs';

const file = `${chart}/values.schema.json`;
const schema = JSON.parse(readFileSync(file, 'utf8'));
schema.definitions.config = configSchema();
writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
