import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env['PLAYHEAD_URL'] ?? 'http://127.0.0.1:7700';

// Two documents: the app, and the stage in which recorded pages are drawn under a stricter policy of their own.
const documents = Object.fromEntries(
  ['index', 'stage'].map((name) => [name, fromHere(`./${name}.html`)]).filter(([, path]) => existsSync(path ?? '')),
);

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    // The content security policy has no data: sources for fonts or scripts of the app.
    assetsInlineLimit: 0,
    sourcemap: false,
    chunkSizeWarningLimit: 600,
    rollupOptions: { input: documents },
  },
  server: {
    port: 7710,
    proxy: Object.fromEntries(['/api', '/sdk', '/demo', '/v1'].map((path) => [path, { target: server }])),
  },
});
