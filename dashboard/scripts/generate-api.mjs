// Writes src/api/schema.ts from openapi.json. With --check it writes nothing and fails when the file is stale.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const document = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/api/schema.ts', import.meta.url);
const HEADER = '// Generated from openapi.json by `npm run generate`. Do not edit.\n\n';

/** The text that src/api/schema.ts must hold. */
export async function generateSchema() {
  const parsed = JSON.parse(await readFile(document, 'utf8'));
  return HEADER + astToString(await openapiTS(parsed, { immutable: false, alphabetize: true }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await generateSchema();
  if (process.argv.includes('--check')) {
    const current = await readFile(target, 'utf8').catch(() => '');
    if (current !== text) {
      console.error('src/api/schema.ts is stale: run npm run generate');
      process.exit(1);
    }
  } else {
    await writeFile(target, text);
  }
}
