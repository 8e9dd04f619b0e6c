import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateSync } from 'node:zlib';
import { PATIENCE_MS } from './browser.js';
import type { FixedHeader } from '../src/delivery/batch.js';
import type { Signal } from '../src/signal.js';

export interface RrwebEvent {
  type: number;
  timestamp: number;
  data: Record<string, unknown>;
}

/** A batch as the server would read it. */
export interface ReceivedBatch {
  header: FixedHeader & { key?: string; token?: string; sent: number };
  signals: Signal[];
  /** Inflated dom frame, byte for byte. */
  dom: Buffer;
  bodyBytes: number;
  host: string;
}

/** How the collector answers one batch; `undefined` means 202. */
export type Answer = { status: number; retryAfterS?: number; delayMs?: number } | 'hang_up' | undefined;

export interface Page {
  html: string;
  headers?: Record<string, string>;
}

function inflate(bytes: Buffer, frame: { len: number; raw: number; enc: string }): Buffer {
  if (bytes.length !== frame.len) throw new Error(`frame of ${bytes.length} bytes, header says ${frame.len}`);
  const raw = frame.enc === 'deflate' ? inflateSync(bytes) : bytes;
  if (raw.length !== frame.raw) throw new Error(`inflated to ${raw.length} bytes, header says ${frame.raw}`);
  return raw;
}

/** Reads a body as the wire contract says, and throws at anything that breaks it. */
export function decodeBatch(body: Buffer, host = ''): ReceivedBatch {
  const end = body.indexOf(10);
  if (end < 0 || end > 4096) throw new Error('no header line within 4 KiB');
  const header = JSON.parse(body.subarray(0, end).toString()) as ReceivedBatch['header'];
  const signalsAt = end + 1;
  const domAt = signalsAt + header.signals.len;
  if (body.length !== domAt + header.dom.len) throw new Error('lengths do not add up');
  const signalsRaw = inflate(body.subarray(signalsAt, domAt), header.signals).toString();
  if (signalsRaw && !signalsRaw.endsWith('\n')) throw new Error('signals do not end with a newline');
  const signals = signalsRaw
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Signal);
  return { header, signals, dom: inflate(body.subarray(domAt), header.dom), bodyBytes: body.length, host };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A small server that hands out pages and the built SDK, and keeps every batch it is sent. */
export class Collector {
  readonly batches: ReceivedBatch[] = [];
  /** Everything that arrived, inflated: for searching. */
  readonly malformed: string[] = [];
  readonly sessionCalls: string[] = [];
  readonly pages = new Map<string, Page>();
  readonly key = `phk_${'0123456789abcdefghjkmnpqrstvwxyz01234567'}`;
  /** Consulted for every batch, before it is kept. */
  answer: (batch: ReceivedBatch) => Answer = () => undefined;
  /** Answer of `POST /v1/sessions`; 404 without one. */
  sessionAnswer: unknown;
  attempts = 0;
  private server: Server | undefined;

  async start(): Promise<void> {
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  get port(): number {
    return (this.server?.address() as AddressInfo).port;
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  /** The plain form of the script tag. */
  tag(attributes = ''): string {
    return `<script defer src="/sdk/playhead.js" data-key="${this.key}" ${attributes}></script>`;
  }

  page(path: string, body: string, options: { attributes?: string; headers?: Record<string, string> } = {}): void {
    const html = `<!doctype html><html><head><title>Test</title>${this.tag(options.attributes)}</head><body>${body}</body></html>`;
    this.pages.set(path, { html, ...(options.headers ? { headers: options.headers } : {}) });
  }

  signals<K extends Signal['k']>(kind: K): Extract<Signal, { k: K }>[] {
    return this.batches
      .flatMap((batch) => batch.signals)
      .filter((signal): signal is Extract<Signal, { k: K }> => signal.k === kind);
  }

  sessions(): string[] {
    return [...new Set(this.batches.map((batch) => batch.header.session))];
  }

  streams(): string[] {
    return [...new Set(this.batches.map((batch) => batch.header.stream))];
  }

  /** Batches that begin with a key frame, of one stream or of all; a batch that came twice counts once. */
  keyFrames(stream?: string): number {
    const keyed = this.batches.filter(({ header }) => header.dom.key && (!stream || header.stream === stream));
    return new Set(keyed.map(({ header }) => `${header.stream}:${header.seq}`)).size;
  }

  /** Whether all batches of a stream arrived, from the first to the highest number that is known. */
  isWhole(stream: string): boolean {
    const seqs = this.batches.filter(({ header }) => header.stream === stream).map(({ header }) => header.seq);
    return new Set(seqs).size === Math.max(-1, ...seqs) + 1;
  }

  /** Waits until the captures that are loaded late are at work: the vitals come from the last of them. */
  async untilLate(): Promise<void> {
    await this.until('the late captures', () => this.signals('vital').length > 0);
  }

  /** The dom events of a stream in order of `seq`, each once, parts joined. */
  events(stream?: string): RrwebEvent[] {
    const bySeq = new Map<string, ReceivedBatch>();
    for (const batch of this.batches) {
      if (!stream || batch.header.stream === stream) bySeq.set(`${batch.header.stream}:${batch.header.seq}`, batch);
    }
    const ordered = [...bySeq.values()].sort(
      (a, b) => a.header.stream.localeCompare(b.header.stream) || a.header.seq - b.header.seq,
    );
    return Buffer.concat(ordered.map((batch) => batch.dom))
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as RrwebEvent);
  }

  /** All bytes that arrived, headers included, as text. */
  everything(): string {
    return this.batches
      .map((batch) => `${JSON.stringify(batch.header)}\n${JSON.stringify(batch.signals)}\n${batch.dom.toString()}`)
      .join('\n');
  }

  /** Waits until the condition holds. */
  async until(what: string, condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      if (this.malformed.length) throw new Error(`malformed batch: ${this.malformed[0]}`);
      if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}; ${this.batches.length} batches so far`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
    if (request.method === 'POST' && path === '/v1/batches') return this.takeBatch(request, response);
    if (request.method === 'POST' && path === '/v1/sessions') {
      this.sessionCalls.push((await bodyOf(request)).toString());
      response.writeHead(this.sessionAnswer ? 200 : 404, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(this.sessionAnswer ?? {}));
      return;
    }
    if (path.startsWith('/sdk/')) return serveScript(path.slice(5), response);
    const page = this.pages.get(path);
    response.writeHead(page ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8', ...page?.headers });
    response.end(page?.html ?? 'not found');
  }

  private async takeBatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    this.attempts++;
    let batch: ReceivedBatch;
    try {
      batch = decodeBatch(body, request.headers.host);
    } catch (error) {
      this.malformed.push(`${String(error)}: ${body.subarray(0, 600).toString()}`);
      response.writeHead(400).end();
      return;
    }
    const answer = this.answer(batch);
    if (answer === 'hang_up') {
      request.socket.destroy();
      return;
    }
    if (answer?.delayMs) await new Promise((resolve) => setTimeout(resolve, answer.delayMs));
    const status = answer?.status ?? 202;
    if (status === 202) this.batches.push(batch);
    response.writeHead(status, answer?.retryAfterS === undefined ? {} : { 'Retry-After': String(answer.retryAfterS) });
    response.end();
  }
}

async function serveScript(name: string, response: ServerResponse): Promise<void> {
  const text = await readFile(new URL(`../dist/script/${name}`, import.meta.url));
  response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' });
  response.end(text);
}
