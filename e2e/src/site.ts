// A web site of somebody else: files from npm packages, on an origin of its own, with the script tag in its pages.
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

export interface Site {
  url: string;
  close(): Promise<void>;
}

/** Serves `folders` in order; `pages` override files; `tag` goes into the head of every HTML page. */
export async function startSite(folders: string[], pages: Record<string, string>, tag: string): Promise<Site> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    void answer(path === '/' ? '/index.html' : path).catch(() => response.writeHead(500).end());

    async function answer(name: string): Promise<void> {
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      const file = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
      const text = pages[name] ?? (file && type.startsWith('text/html') ? await readFile(file, 'utf8') : undefined);
      if (text !== undefined) {
        const body = type.startsWith('text/html') ? text.replace('<head>', `<head>${tag}`) : text;
        response.writeHead(200, { 'content-type': type }).end(body);
      } else if (file) {
        response.writeHead(200, { 'content-type': type });
        createReadStream(file).pipe(response);
      } else {
        response.writeHead(404).end();
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}
