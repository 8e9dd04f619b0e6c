// Builds the package: ESM for bundlers, and the script with its lazily loaded chunks. Declarations come from tsc.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { build, transform } from 'esbuild';

const shared = {
  bundle: true,
  minify: true,
  target: 'es2021',
  legalComments: 'none',
  logLevel: 'warning',
  external: ['react', 'react-dom', 'react/jsx-runtime'],
};

/** rrweb speaks to the console, where our own capture would hear it. */
const quietRrweb = {
  name: 'quiet-rrweb',
  setup(builder) {
    builder.onLoad({ filter: /@rrweb[\\/]record[\\/]dist[\\/]record\.js$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        loader: 'js',
        drop: ['console'],
        target: 'es2021',
      });
      return { contents: code, loader: 'js' };
    });
  },
};

/** Chunks of the script form: what the core imports lazily, and the file it becomes beside `playhead.js`. */
const chunks = {
  recorder: 'src/recorder/index.ts',
  delivery: 'src/delivery/index.ts',
  late: 'src/capture/late/index.ts',
};

/** A classic script cannot be split: its lazy imports stay imports, by an address beside the script's own. */
const lazyChunks = {
  name: 'lazy-chunks',
  setup(builder) {
    builder.onLoad({ filter: /[\\/]load\.ts$/ }, async ({ path }) => {
      const name = basename(dirname(path));
      if (!(name in chunks)) throw new Error(`no chunk for ${path}`);
      const source = await readFile(path, 'utf8');
      const address = `import(new URL('./playhead-${name}.js', scriptUrl).href)`;
      const contents = `import { scriptUrl } from '${resolve('src/script-url.ts')}';\n${source.replace(/(?<!typeof )import\('\.\/index\.js'\)/, address)}`;
      return { contents, loader: 'ts' };
    });
    builder.onResolve({ filter: /.*/ }, ({ kind, path, importer }) => {
      if (kind === 'dynamic-import') throw new Error(`${importer} imports ${path} lazily, which only a load.ts may`);
      return undefined;
    });
  },
};

await rm('dist/esm', { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: { index: 'src/index.ts', react: 'src/react.ts' },
  outdir: 'dist/esm',
  format: 'esm',
  splitting: true,
  chunkNames: 'chunk-[name]-[hash]',
  plugins: [quietRrweb],
});
await build({
  ...shared,
  entryPoints: { playhead: 'src/script.ts' },
  outdir: 'dist/script',
  format: 'iife',
  supported: { 'dynamic-import': true },
  plugins: [lazyChunks],
});
for (const [name, entry] of Object.entries(chunks)) {
  await build({
    ...shared,
    entryPoints: { [`playhead-${name}`]: entry },
    outdir: 'dist/script',
    format: 'esm',
    plugins: [quietRrweb],
  });
}

const { outputFiles } = await build({ ...shared, entryPoints: ['src/stub.ts'], format: 'esm', write: false });
const { STUB } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
await mkdir('dist', { recursive: true });
await writeFile('dist/stub.txt', STUB);
