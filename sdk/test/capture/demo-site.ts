import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { extname } from 'node:path';
import { echo, WEBSOCKET_GUID } from './site.js';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** The demo shop as the product serves it, with a script tag in the place that the page keeps for it. */
export class DemoSite {
  private server: Server | undefined;

  constructor(private readonly tag: string) {}

  async start(): Promise<void> {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
      const key = `${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      echo(socket);
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const json = (status: number, body: string): void => {
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
      });
      response.end(body);
    };
    request.resume();
    if (path === '/demo/api/products') json(200, (await this.file('products.json')).toString());
    else if (path === '/demo/api/cart') json(200, '{"items":[]}');
    else if (path === '/demo/api/orders') json(201, '{"order":"1"}');
    else if (path === '/demo/api/orders/fail') json(502, '{"error":"the payment provider did not answer"}');
    else if (path === '/demo/api/slow') setTimeout(() => json(200, '{"report":"done"}'), 1500);
    else await this.serve(path, response);
  }

  private file(name: string): Promise<Buffer> {
    return readFile(new URL(`../../../playhead/demo/${name}`, import.meta.url));
  }

  private async serve(path: string, response: ServerResponse): Promise<void> {
    const name = extname(path) ? path.replace('/demo/', '') : 'index.html';
    const content = await this.file(name).catch(() => undefined);
    if (!content) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream');
    response.end(name === 'index.html' ? content.toString().replace('<!-- playhead -->', this.tag) : content);
  }
}
