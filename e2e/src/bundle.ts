// A small web app, minified by Vite with its source map, as a team would deploy it.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';

const APP = join(import.meta.dirname, '..', 'apps', 'minified');

/** Builds the app; returns the folder that is deployed. */
export async function buildMinified(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'playhead-bundle-'));
  await build({
    root: APP,
    configFile: false,
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, sourcemap: true, minify: true },
  });
  return folder;
}
