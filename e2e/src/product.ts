// The real release binary, in a data folder of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
export const BINARY =
  process.env.PLAYHEAD_BINARY ??
  join(process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, 'target'), 'release', 'playhead');
export const ADMIN_TOKEN = 'e2e-admin-token-0123456789abcdef0123456789';

export interface Project {
  project_id: string;
  public_key: string;
  secret_key: string;
}

export interface Product {
  url: string;
  data: string;
  process: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  /** The sign-in link that it printed. */
  signInLink(): string;
  /** Ends it like Ctrl-C and returns its exit code. */
  stop(): Promise<number | null>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

export interface StartOptions {
  data?: string;
  port?: number;
  demo?: boolean;
  env?: Record<string, string>;
}

/** Starts `playhead up` and waits until it is ready. */
export async function startProduct(options: StartOptions = {}): Promise<Product> {
  const data = options.data ?? join(await mkdtemp(join(tmpdir(), 'playhead-e2e-')), 'data');
  const port = options.port ?? (await freePort());
  const product = launch(data, port, options);
  const begun = Date.now();
  for (;;) {
    if (product.process.exitCode !== null) {
      throw new Error(`playhead ended with ${product.process.exitCode}:\n${product.output()}`);
    }
    const ready = await fetch(`${product.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready && /sign-in\?token=/.test(product.output())) return product;
    if (Date.now() - begun > 60_000) throw new Error(`playhead was not ready in time:\n${product.output()}`);
    await pause(20);
  }
}

/** Runs `playhead up` where it is expected to refuse; returns its exit code and what it printed. */
export async function startRefused(data: string, port: number, env: Record<string, string> = {}) {
  const product = launch(data, port, { demo: false, env });
  const timer = setTimeout(() => product.process.kill('SIGKILL'), 60_000);
  const code = await ended(product.process);
  clearTimeout(timer);
  return { code, output: product.output() };
}

function launch(data: string, port: number, options: StartOptions): Product {
  const flags = [
    'up',
    '--data',
    data,
    '--listen',
    `127.0.0.1:${port}`,
    ...(options.demo === false ? ['--no-demo'] : []),
  ];
  const child = spawn(BINARY, flags, {
    env: { ...process.env, PLAYHEAD_ADMIN_TOKEN: ADMIN_TOKEN, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += String(chunk)));
  child.stderr.on('data', (chunk) => (printed += String(chunk)));
  child.once('error', (error) => (printed += String(error)));
  const stop = async () => {
    child.kill('SIGINT');
    return ended(child);
  };
  return {
    url: `http://127.0.0.1:${port}`,
    data,
    process: child,
    output: () => printed,
    signInLink: () => /https?:\/\/\S+\/sign-in\?token=\S+/.exec(printed)?.[0] ?? fail('no sign-in link was printed'),
    stop,
    remove: async () => {
      await stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Calls the API as the administrator or with a secret key. */
export async function call(
  product: Product,
  path: string,
  init: RequestInit & { token?: string } = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${init.token ?? ADMIN_TOKEN}`);
  if (init.body && !headers.has('content-type')) headers.set('content-type', 'application/json');
  return fetch(product.url + path, { ...init, headers });
}

export async function createProject(product: Product, name = 'e2e', settings = {}): Promise<Project> {
  const body = JSON.stringify({ name, ...settings });
  const answer = await call(product, '/api/v1/projects', { method: 'POST', body });
  if (answer.status !== 201) throw new Error(`creating a project answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Project;
}

/** The demo shop's own project, with a secret key made for the test. */
export async function demoProject(product: Product): Promise<Project> {
  const list: any = await (await call(product, '/api/v1/projects')).json();
  const { id, public_key } = list.items[0];
  const key: any = await (await call(product, `/api/v1/projects/${id}/secret-keys`, { method: 'POST' })).json();
  return { project_id: id, public_key, secret_key: key.secret_key };
}

/** Reads JSON under a project with its secret key. */
export async function read<T = any>(product: Product, project: Project, path: string): Promise<T> {
  const answer = await call(product, `/api/v1/projects/${project.project_id}${path}`, { token: project.secret_key });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Repeats `look` until it returns something, for at most `ms`. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>, ms = 60_000): Promise<T> {
  const begun = Date.now();
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() - begun > ms)
      throw new Error(`${what} did not happen within ${ms} ms${last ? `: ${String(last)}` : ''}`);
    await pause(100);
  }
}

/** Every event of a session, of some kinds. */
export async function events(product: Product, project: Project, session: string, kinds = ''): Promise<any[]> {
  const items: any[] = [];
  let cursor: string | null = null;
  do {
    const query: string = `?limit=1000${kinds && `&kinds=${kinds}`}${cursor ? `&cursor=${cursor}` : ''}`;
    const page = await read(product, project, `/sessions/${session}/events${query}`);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}
