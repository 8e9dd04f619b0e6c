import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Echoes short text messages, answers a close with the same code. */
export function echo(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (frame: Buffer) => {
    const length = (frame[1] ?? 0) & 0x7f;
    const mask = frame.subarray(2, 6);
    const data = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
    socket.write(Buffer.concat([Buffer.from([frame[0] ?? 0, data.length]), data]));
    if (((frame[0] ?? 0) & 0x0f) === 8) socket.end();
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A site with answers of every kind, and the captures in its pages. A second port is another origin. */
export class Site {
  private readonly servers: Server[] = [];
  private script = '';
  readonly bodies: string[] = [];
  /** Requests other than for pages and scripts: what was asked for, and with which headers. */
  readonly asked: { path: string; method: string; headers: IncomingMessage['headers'] }[] = [];
  private readonly scripts: string[] = [];

  async start(): Promise<void> {
    const harness = fileURLToPath(new URL('harness.ts', import.meta.url));
    const { outputFiles } = await build({ entryPoints: [harness], bundle: true, format: 'esm', write: false });
    this.script = outputFiles[0]?.text ?? '';
    for (let count = 0; count < 2; count++) {
      const server = createServer((request, response) => void this.answer(request, response));
      server.on('upgrade', (request: IncomingMessage, socket: Duplex) => this.upgrade(request, socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      this.servers.push(server);
    }
  }

  async stop(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  url(path: string, origin: 0 | 1 = 0): string {
    return `http://127.0.0.1:${(this.servers[origin]?.address() as AddressInfo).port}${path}`;
  }

  /** Path of a script with this code. */
  addScript(code: string): string {
    return `/scripts/${this.scripts.push(code) - 1}.js`;
  }

  private upgrade(request: IncomingMessage, socket: Duplex): void {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${WEBSOCKET_GUID}`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    echo(socket);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://site');
    response.setHeader('Access-Control-Allow-Origin', '*');
    this.asked.push({ path: url.pathname, method: request.method ?? '', headers: request.headers });
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'traceparent, tracestate, x-own');
      response.writeHead(204).end();
      return;
    }
    const json = (body: unknown, status = 200, headers: Record<string, string> = {}): void => {
      const text = JSON.stringify(body);
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Content-Length': String(text.length),
        ...headers,
      });
      response.end(text);
    };
    if (request.method === 'POST') this.bodies.push(await bodyOf(request));
    if (url.pathname === '/harness.js') response.setHeader('Content-Type', 'text/javascript').end(this.script);
    else if (url.pathname.startsWith('/scripts/')) {
      response.setHeader('Content-Type', 'text/javascript').end(this.scripts[parseInt(url.pathname.slice(9), 10)]);
    } else if (url.pathname === '/page') this.page(url, response);
    else if (url.pathname === '/json')
      json({ items: [1, 2, 3], password: 'hunter2', nested: { token: { value: 'abc-secret' } } });
    else if (url.pathname === '/timed') {
      setTimeout(() => json({ ok: true }, 200, { 'Server-Timing': 'db;dur=12.5;desc="Orders", cache' }), 60);
    } else if (url.pathname === '/slow') setTimeout(() => json({ slow: true }), Number(url.searchParams.get('ms')));
    else if (url.pathname.startsWith('/status/')) json({}, Number(url.pathname.slice(8)));
    else if (url.pathname === '/never') request.resume();
    else if (url.pathname === '/drop') request.socket.destroy();
    else if (url.pathname === '/stream') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: one\n\n');
    } else response.writeHead(404).end();
  }

  private page(url: URL, response: ServerResponse): void {
    const policy = url.searchParams.get('policy');
    if (policy) response.setHeader('Content-Security-Policy', policy);
    response.setHeader('Content-Type', 'text/html');
    const before = '<script>window.early=[];window.keep=e=>early.push(e);addEventListener("error",keep,true);</script>';
    const broken = url.searchParams.has('early') ? '<script>throw new RangeError("before the script")</script>' : '';
    response.end(
      `<!doctype html><title>A page</title>${before}${broken}<script type="module" src="/harness.js"></script><body><h1>Page</h1>`,
    );
  }
}
