// From a click in a browser to the database of a backend that OpenTelemetry's own SDKs watch: one waterfall in the replay.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { signIn, startChromium } from '../src/chromium.ts';
import {
  createProject,
  events,
  freePort,
  read,
  startProduct,
  until,
  type Product,
  type Project,
} from '../src/product.ts';

let product: Product;
let chromium: Browser;
let project: Project;
let backend: ChildProcess | undefined;

beforeAll(async () => {
  product = await startProduct({ demo: false });
  chromium = await startChromium();
  project = await createProject(product);
});

afterEach(() => stopBackend());

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

async function stopBackend(): Promise<void> {
  const child = backend;
  backend = undefined;
  if (!child || child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Starts a backend whose spans go to the product, set up as OpenTelemetry's documents say, and returns its address. */
async function startBackend(command: string[], env: Record<string, string> = {}): Promise<string> {
  const port = await freePort();
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, {
    env: {
      ...process.env,
      PORT: String(port),
      PAGE_TAG: `<script defer src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"></script>`,
      OTEL_SERVICE_NAME: 'orders',
      OTEL_EXPORTER_OTLP_ENDPOINT: product.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${project.secret_key}`,
      OTEL_BSP_SCHEDULE_DELAY: '200',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  backend = child;
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  child.stderr.on('data', (chunk) => (printed += String(chunk)));
  await until('the backend', async () => {
    if (child.exitCode !== null) throw new Error(`the backend ended: ${printed}`);
    return printed.includes('listening');
  });
  return `http://127.0.0.1:${port}`;
}

/** Calls the backend's two addresses from a page, and returns the session. */
async function visit(url: string): Promise<{ page: Page; session: string }> {
  const page = await chromium.newPage();
  await page.goto(`${url}/`);
  await page.waitForFunction(() => 'sessionUrl' in ((window as any).playhead ?? {}));
  await page.evaluate(async () => {
    await fetch('/api/orders?customer=ann@example.com');
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/api/pay');
      xhr.onloadend = resolve;
      xhr.send();
    });
  });
  const link = await page.evaluate(() => (window as any).playhead.sessionUrl() as string);
  return { page, session: /sessions\/([0-9a-f]{32})/.exec(link)?.[1] ?? '' };
}

/** The spans of a session, and its two requests, checked against each other. */
async function joined(session: string): Promise<any[]> {
  const spans = await until('spans of both requests', async () => {
    const found = await events(product, project, session, 'span');
    return found.length >= 4 && found;
  });
  const requests = await until('both requests', async () => {
    const found = (await events(product, project, session, 'request')).filter(({ data }) => /\/api\//.test(data.url));
    return found.length === 2 && found;
  });
  for (const [path, child, status] of [
    ['/api/orders', 'SELECT orders', undefined],
    ['/api/pay', '<img src=x onerror=alert(1)>', 'error'],
  ] as const) {
    const request = requests.find(({ data }) => data.url.includes(path));
    const own = spans.filter(({ data }) => data.trace_id === request.data.trace_id);
    const server = own.find(({ data }) => data.parent_id === request.data.span_id);
    expect(server.data).toMatchObject({ role: 'server', service: 'orders' });
    const inner = own.find(({ data }) => data.parent_id === server.data.span_id);
    expect(inner.data.name).toBe(child);
    expect(inner.data.status).toBe(status);
    expect(inner.data.duration_ms).toBeLessThanOrEqual(server.data.duration_ms);
    expect(inner.data.duration_ms).toBeGreaterThan(5);
  }
  const told = JSON.stringify(spans);
  for (const secret of ['hunter2', 'Ann', 'ann@example.com', session]) expect(told).not.toContain(secret);
  expect(told).toContain('SELECT * FROM orders WHERE customer = ?');
  return spans;
}

/** No answer has a `Server-Timing`: the lists of endpoints know the backend's part of every request from its span. */
async function countedWithSpans(): Promise<void> {
  const orders = await until('the backend’s part of every request', async () => {
    const { endpoints } = await read(product, project, '/endpoints');
    const found = endpoints.find((endpoint: any) => endpoint.name === 'GET /api/orders');
    return found?.requests > 0 && found.parts.backend.known === found.requests && found;
  });
  expect(orders.parts.network.known).toBe(orders.requests);
  expect(orders.parts.backend.mean_ms).toBeGreaterThan(5);
}

const NODE = [process.execPath, join(import.meta.dirname, '..', 'backend', 'orders.cjs')];

test.each([
  ['http/protobuf', 'gzip'],
  ['http/json', 'none'],
])('a backend in Node that exports by %s, compressed by %s', async (protocol, compression) => {
  const url = await startBackend(NODE, {
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_COMPRESSION: compression,
  });
  const { page, session } = await visit(url);
  await joined(session);
  const summary = await read(product, project, `/sessions/${session}`);
  expect(summary.counts.requests).toBe(2);
  await countedWithSpans();
  const manifest = await read(product, project, `/sessions/${session}/replay`);
  expect(manifest.streams).toHaveLength(1);
  await page.close();
});

/** Set to a Python that has what `backend/requirements.txt` names. */
const PYTHON = process.env.E2E_PYTHON;

test.runIf(PYTHON !== undefined)('a backend in Python', async () => {
  const url = await startBackend([PYTHON ?? '', join(import.meta.dirname, '..', 'backend', 'orders.py')]);
  const { page, session } = await visit(url);
  await joined(session);
  await page.close();
});

test('one waterfall from the browser to the database, whatever spans are called', async () => {
  const url = await startBackend(NODE);
  const { page, session } = await visit(url);
  await joined(session);
  await page.close();
  const replay = await chromium.newPage({ viewport: { width: 1440, height: 900 } });
  let alerts = 0;
  replay.on('dialog', (dialog) => {
    alerts += 1;
    void dialog.dismiss();
  });
  await signIn(replay, product);
  await replay.goto(`${product.url}/p/${project.project_id}/sessions/${session}?pane=network`);
  const row = (path: string) => replay.locator('.request-row', { hasText: path }).first();
  await row('/api/orders').click();
  const trace = replay.getByRole('region', { name: 'Waterfall of the trace' });
  await expect.poll(() => trace.locator('.trace-row').count()).toBeGreaterThanOrEqual(3);
  await expect.poll(() => trace.innerText()).toContain('postgresql SELECT * FROM orders WHERE customer = ?');
  await row('/api/pay').click();
  await expect.poll(() => trace.innerText()).toContain('<img src=x onerror=alert(1)>');
  await expect.poll(() => trace.innerText()).toContain('card declined');
  expect(await replay.locator('img[src="x"]').count()).toBe(0);
  expect(alerts).toBe(0);
  await replay.close();
});

test('a key that every page shows opens nothing', async () => {
  const answer = await fetch(`${product.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${project.public_key}` },
    body: '{}',
  });
  expect(answer.status).toBe(401);
  expect(((await answer.json()) as any).message).toContain('this is the public key');
});
