// Batches as the wire contract has them, for tests and benchmarks that do not need a browser.
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import type { Product, Project } from './product.ts';

export interface BatchParts {
  session: string;
  stream: string;
  seq: number;
  from: number;
  to: number;
  signals?: object[];
  dom?: object[];
  key?: boolean;
  end?: boolean;
  /** Members that replace what would be written. */
  header?: Record<string, unknown>;
}

export const newSession = (): string => randomBytes(16).toString('hex');
export const newStream = (): string => randomBytes(8).toString('hex');

const lines = (values: object[] = []): Buffer =>
  Buffer.from(values.map((value) => JSON.stringify(value) + '\n').join(''));

export function encodeBatch(project: Project, parts: BatchParts): Buffer {
  const [signals, dom] = [lines(parts.signals), lines(parts.dom)];
  const [signalsFrame, domFrame] = [signals, dom].map((raw) => (raw.length ? deflateSync(raw, { level: 1 }) : raw));
  const header = {
    v: 1,
    key: project.public_key,
    session: parts.session,
    stream: parts.stream,
    seq: parts.seq,
    tab: 1,
    sent: Date.now(),
    from: parts.from,
    to: parts.to,
    signals: { len: signalsFrame!.length, raw: signals.length, enc: 'deflate' },
    dom: {
      len: domFrame!.length,
      raw: dom.length,
      enc: 'deflate',
      key: parts.key ?? false,
      events: parts.dom?.length ?? 0,
    },
    rates: { dom: 1, dom_on_error: 1, signals: 1 },
    sampled: true,
    ...(parts.end ? { end: true } : {}),
    ...parts.header,
  };
  return Buffer.concat([Buffer.from(JSON.stringify(header) + '\n'), signalsFrame!, domFrame!]);
}

/** Sends a body as a browser does. */
export async function postBatch(
  product: Product,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${product.url}/v1/batches`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: new Uint8Array(body),
  });
}

export async function sendBatch(product: Product, project: Project, parts: BatchParts): Promise<void> {
  const answer = await postBatch(product, encodeBatch(project, parts));
  if (answer.status !== 202) throw new Error(`a batch answered ${answer.status}: ${await answer.text()}`);
}

export const pageSignal = (t: number, url = 'http://shop.example/'): object => ({
  k: 'page',
  t,
  url,
  title: 'Shop',
  screen: [1440, 900],
  viewport: [1280, 800],
  dpr: 1,
  language: 'en',
  time_zone: 'Europe/Lisbon',
  sdk: 'e2e',
  visibility: 'visible',
});
