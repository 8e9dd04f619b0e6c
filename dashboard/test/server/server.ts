/** An API server for browser tests: the built dashboard and answers that a test sets. Never part of the product. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { IssueChange, IssueDetail } from '../../src/api/issues';
import type {
  DeadLetter,
  DiscardedIssue,
  DryRun,
  ErrorStack,
  Project,
  ProjectPatch,
  ProjectStatus,
  SecretKey,
  Session,
  SessionEvent,
} from '../../src/api/model';
import { answerAlerts, makeAlerts, type AlertsWorld } from './alerts';
import { answerJira, answerJiraIssue, makeJira, type JiraWorld } from './jira';

// A build elsewhere can be tried while `dist/` is being written.
const DIST = process.env['DASHBOARD_DIST'] ?? fileURLToPath(new URL('../../dist/', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
// Stricter than what the product sends (no inline styles), so that what a policy refuses is seen here.
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
  "connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; object-src 'none'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'";

export interface World {
  signedIn: boolean;
  token: string;
  projects: Project[];
  sessions: Session[];
  /** By the session's id. */
  events: Map<string, SessionEvent[]>;
  /** What source maps make of every error. */
  stack: ErrorStack;
  issues: IssueDetail[];
  /** Ids and what was changed of them. */
  issueChanges: [string[], IssueChange][];
  /** Issues that were merged into others, by id. */
  apart: Map<string, IssueDetail>;
  discarded: DiscardedIssue[];
  dryRun: DryRun;
  status: ProjectStatus;
  keys: SecretKey[];
  deadLetters: DeadLetter[];
  /** Answers of these paths become problems: path prefix → status. */
  failures: Map<string, number>;
  /** The first page of lists is partial and empty. */
  firstPageIsPartial: boolean;
  /** Every request to the API: `GET /api/v1/me`. */
  requests: string[];
  patches: ProjectPatch[];
  deletedUsers: string[];
  alerts: AlertsWorld;
  jira: JiraWorld;
}

export function makeProject(change: Partial<Project> = {}): Project {
  return {
    id: '0123456789abc',
    name: 'Acme Shop',
    created_at: Date.now() - 86_400_000,
    disabled: false,
    public_key: `phk_${'0123456789abcdefghjkmnpqrstvwxyz01234567'.slice(0, 40)}`,
    settings: {
      allowed_origins: [],
      error_filters_off: [],
      failed_requests: 'none',
      grouping_rules: [],
      grouping_counts_from: null,
      critical_pages: [],
      endpoint_templates: [],
      retention_days: 30,
      store_ip: false,
      sample_rate: 1,
      on_error_sample_rate: 1,
      signal_sample_rate: 1,
      image_hosts: [],
      slow_request_ms: 3000,
      network_bodies: [],
    },
    script_tag:
      '<script>!function(w,d,q){w.playhead=q={q:[]}}(window,document)</script>\n<script async src="http://127.0.0.1:7700/sdk/playhead.js" data-key="phk_0123"></script>',
    script_tag_plain: '<script defer src="http://127.0.0.1:7700/sdk/playhead.js" data-key="phk_0123"></script>',
    ...change,
  };
}

export function makeWorld(change: Partial<World> = {}): World {
  return {
    signedIn: true,
    token: 'good-token',
    projects: [makeProject()],
    sessions: [],
    events: new Map(),
    stack: { release: null, frames: [], causes: [], errors: [] },
    issues: [],
    issueChanges: [],
    apart: new Map(),
    discarded: [],
    dryRun: { issues: 12, not_kept: 1, partial: false, groups: [] },
    status: {
      first_event_at: null,
      last_event_at: null,
      intake: {
        since: Date.now() - 86_400_000,
        batches: 0,
        bytes: 0,
        signals: 0,
        dropped_signals: 0,
        duplicates: 0,
        filtered_errors: {},
        suppressed: 0,
        new_sessions: 0,
        dead_letters: {},
      },
    },
    keys: [],
    deadLetters: [],
    failures: new Map(),
    firstPageIsPartial: false,
    requests: [],
    patches: [],
    deletedUsers: [],
    alerts: makeAlerts(),
    jira: makeJira(),
    ...change,
  };
}

type Answer = [status: number, body?: unknown, headers?: Record<string, string>];
const problem = (status: number, code: string, detail: string, field?: string): Answer => [
  status,
  { type: `urn:playhead:problem:${code}`, title: code, status, detail, field },
];

function listSessions(world: World, query: URLSearchParams): Answer {
  if (world.firstPageIsPartial && !query.has('cursor')) return [200, { items: [], next: '0', partial: true }];
  const has = (value: string | null, text: string | null | undefined) =>
    value === null || (text ?? '').toLowerCase().includes(value.toLowerCase());
  const matching = world.sessions
    .filter((session) => query.get('has_errors') !== 'true' || session.counts.errors > 0)
    .filter((session) => has(query.get('browser'), session.browser.name))
    .filter((session) => has(query.get('country'), session.country))
    .filter((session) => has(query.get('session_id'), session.id))
    .filter((session) => has(query.get('q'), `${session.user?.email ?? ''} ${session.id} ${session.pages.join(' ')}`))
    .sort((a, b) => (query.get('sort') === 'started_at' ? a.started_at - b.started_at : b.started_at - a.started_at));
  const start = Number(query.get('cursor') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? 50);
  const next = start + limit < matching.length ? String(start + limit) : null;
  return [200, { items: matching.slice(start, start + limit), next, partial: false }];
}

function listIssues(world: World, query: URLSearchParams): Answer {
  if (world.firstPageIsPartial && !query.has('cursor'))
    return [200, { issues: [], next: '0', partial: true, overflow: null }];
  const words = (query.get('query') ?? '').split(' ').filter(Boolean);
  const state = words.find((word) => word.startsWith('state:'))?.slice('state:'.length);
  const texts = words.filter((word) => !word.includes(':')).map((word) => word.toLowerCase());
  const matching = world.issues
    .filter((issue) => {
      if (state === undefined) return true;
      return state === 'unresolved' ? !['resolved', 'archived'].includes(issue.state) : issue.state === state;
    })
    .filter(({ title }) => texts.every((text) => title.toLowerCase().includes(text)))
    .sort((a, b) =>
      query.get('sort') === 'last_seen' ? b.last_seen_ms - a.last_seen_ms : b.priority.score - a.priority.score,
    );
  const start = Number(query.get('cursor') ?? 0) || 0;
  const limit = Number(query.get('limit') ?? 50);
  const next = start + limit < matching.length ? String(start + limit) : null;
  return [200, { issues: matching.slice(start, start + limit), next, partial: false, overflow: null }];
}

/** Takes issues out of the list and into another one. */
function mergeIssues(world: World, { ids, into }: { ids: string[]; into: string }): Answer {
  const target = world.issues.find(({ id }) => id === into);
  if (!target) return problem(404, 'not-found', 'there is no such issue');
  for (const part of world.issues.filter(({ id }) => id !== into && ids.includes(id))) {
    target.members.push({ ...part, merged_at_ms: Date.now(), merged_by: 'administrator' });
    world.apart.set(part.id, part);
  }
  target.merged = target.members.length;
  target.sessions_exact = false;
  world.issues = world.issues.filter(({ id }) => id === into || !ids.includes(id));
  return [200, target];
}

function splitIssue(world: World, part: string): Answer {
  const target = world.issues.find(({ members }) => members.some(({ id }) => id === part));
  const own = world.apart.get(part);
  if (!target || !own) return problem(400, 'bad-request', 'is not merged into another one', 'issue');
  target.members = target.members.filter(({ id }) => id !== part);
  target.merged = target.members.length;
  target.sessions_exact = target.merged === 0;
  world.issues.push(own);
  return [200, target];
}

const until = ({ archived_until }: IssueChange): IssueDetail['archived_until'] =>
  archived_until ? { escalating: false, events: null, users: null, days: null, ...archived_until } : null;

function answerIssues(world: World, method: string, rest: string, url: URL, body: unknown): Answer {
  if (rest === '' && method === 'GET') return listIssues(world, url.searchParams);
  if (rest === '/discarded') return [200, { items: world.discarded }];
  if (rest === '/discard') {
    const wanted = (body as { ids: string[] }).ids;
    for (const { id, title } of world.issues.filter((issue) => wanted.includes(issue.id))) {
      world.discarded.unshift({ id, title, discarded_by: 'administrator', from_ms: Date.now(), to_ms: null });
    }
    world.issues = world.issues.filter(({ id }) => !wanted.includes(id));
    return [200, { changed: wanted, missing: [] }];
  }
  const [, again] = /^\/([0-9a-f]{32})\/restore$/.exec(rest) ?? [];
  if (again !== undefined) {
    for (const issue of world.discarded.filter(({ id }) => id === again)) issue.to_ms = Date.now() + 60_000;
    return [200, { items: world.discarded }];
  }
  if (rest === '/merge') return mergeIssues(world, body as { ids: string[]; into: string });
  const [, part] = /^\/([0-9a-f]{32})\/split$/.exec(rest) ?? [];
  if (part !== undefined) return splitIssue(world, part);
  const { ids, ...change } = { ids: [rest.slice(1)], ...(body as Partial<IssueChange> & { ids?: string[] }) };
  const found = world.issues.filter(({ id }) => (rest === '/bulk' ? ids.includes(id) : rest === `/${id}`));
  if (found.length === 0) return problem(404, 'not-found', 'there is no such issue');
  if (method === 'GET') return [200, found[0]];
  world.issueChanges.push([found.map(({ id }) => id), change]);
  for (const issue of found) {
    if (change.state !== undefined) issue.state = change.state;
    if (change.state !== undefined) issue.archived_until = until(change);
    if (change.priority !== undefined && change.priority !== 'none') {
      issue.priority = { ...issue.priority, level: change.priority, pinned: true };
    }
    if (change.assignee !== undefined) issue.assignee = change.assignee || null;
  }
  return [200, rest === '/bulk' ? { changed: found.map(({ id }) => id), missing: [] } : found[0]];
}

function answerProject(world: World, project: Project, request: Asked): Answer {
  const { method, url, body, rest } = request;
  const of = (path: string) => `${method} ${path}`;
  const route = of(rest);
  if (route === 'GET ') return [200, project];
  if (route === 'PATCH ') {
    const { name, disabled, ...settings } = body as ProjectPatch;
    if (settings.allowed_origins?.includes('nonsense')) {
      return problem(400, 'bad-request', 'nonsense is no origin: write https://shop.example', 'allowed_origins');
    }
    world.patches.push(body as ProjectPatch);
    Object.assign(project.settings, settings);
    if (name !== undefined) project.name = name;
    if (disabled !== undefined) project.disabled = disabled;
    return [200, project];
  }
  if (route === 'POST /grouping-rules/dry-run') return [200, world.dryRun];
  if (route === 'GET /status') return [200, world.status];
  if (route === 'GET /dead-letters') return [200, { items: world.deadLetters, next: null }];
  if (route === 'GET /secret-keys') return [200, { items: world.keys }];
  if (route === 'POST /secret-keys') {
    world.keys.push({ id: `key${String(world.keys.length)}`, hint: '9xyz', created_at: Date.now() });
    return [201, { secret_key: `phs_${'a'.repeat(55)}9xyz`, hint: '9xyz' }];
  }
  if (method === 'DELETE' && rest.startsWith('/secret-keys/')) {
    world.keys = world.keys.filter((key) => !rest.endsWith(key.id));
    return [204];
  }
  if (method === 'DELETE' && rest.startsWith('/users/')) {
    world.deletedUsers.push(decodeURIComponent(rest.slice('/users/'.length)));
    return [202, { sessions: 3 }];
  }
  if (rest.startsWith('/alerts/')) {
    return answerAlerts(world.alerts, method, rest.slice('/alerts'.length), url, body, request.version);
  }
  if (rest === '/jira' || rest.startsWith('/jira/')) {
    return answerJira(world.jira, method, rest.slice('/jira'.length), url, body);
  }
  const [, ofJira, jiraRest = ''] = /^\/issues\/([0-9a-f]{32})\/jira(\/.*)?$/.exec(rest) ?? [];
  if (ofJira !== undefined) return answerJiraIssue(world.jira, method, ofJira, jiraRest, body);
  if (rest === '/issues' || rest.startsWith('/issues/')) {
    return answerIssues(world, method, rest.slice('/issues'.length), url, body);
  }
  const [, ofEvents] = /^\/sessions\/([0-9a-f]{32})\/events$/.exec(rest) ?? [];
  if (ofEvents !== undefined) {
    const items = world.events.get(ofEvents);
    return items ? [200, { items, next: null }] : problem(410, 'expired', 'its retention time is over');
  }
  if (/^\/sessions\/[0-9a-f]{32}\/events\/[\w-]+\/stack$/.test(rest)) return [200, world.stack];
  if (route === 'GET /sessions') return listSessions(world, url.searchParams);
  const session = world.sessions.find((candidate) => rest === `/sessions/${candidate.id}`);
  return session ? [200, session] : problem(404, 'not-found', 'there is nothing here');
}

interface Request {
  method: string;
  url: URL;
  body: unknown;
  /** The version that the change is made for. */
  version: string | undefined;
}
/** What is asked of a project: the path behind its id. */
type Asked = Request & { rest: string };

function answer(world: World, request: Request): Answer {
  const { url, body } = request;
  for (const [path, status] of world.failures) {
    if (url.pathname.startsWith(path)) return problem(status, 'store-unavailable', 'the store does not answer');
  }
  if (url.pathname === '/api/v1/sign-in') {
    if ((body as { token: string }).token !== world.token) return problem(401, 'bad-token', 'expired');
    world.signedIn = true;
    return [204];
  }
  if (!world.signedIn) return problem(401, 'signed-out', 'sign in first');
  if (url.pathname === '/api/v1/sign-out') {
    world.signedIn = false;
    return [204];
  }
  if (url.pathname === '/api/v1/me') {
    const installation = { version: '0.1.0', ingest_url: 'http://127.0.0.1:7700', demo_url: '/demo' };
    return [200, { name: 'Administrator', installation }];
  }
  if (url.pathname === '/api/v1/projects') return [200, { items: world.projects }];
  const [, id, rest = ''] = /^\/api\/v1\/projects\/([^/]+)(.*)$/.exec(url.pathname) ?? [];
  const project = world.projects.find((candidate) => candidate.id === id);
  return project
    ? answerProject(world, project, { ...request, rest })
    : problem(404, 'not-found', 'there is no such project');
}

async function sendFile(response: ServerResponse, path: string) {
  const safe = normalize(path).replace(/^([/\\.])+/, '');
  const isFile = extname(safe) !== '';
  const name = isFile ? safe : path === '/stage' ? 'stage.html' : 'index.html';
  const content = await readFile(join(DIST, name)).catch(() => null);
  response.writeHead(content ? 200 : 404, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    ...(name === 'index.html' ? { 'content-security-policy': POLICY } : {}),
  });
  response.end(content ?? '');
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text ? (JSON.parse(text) as unknown) : undefined;
}

export interface TestServer {
  url: string;
  /** What the answers come from; replace it between tests. */
  world: World;
  close: () => Promise<void>;
}

export async function startServer(): Promise<TestServer> {
  const state = { world: makeWorld() };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://test');
    const method = request.method ?? 'GET';
    if (!url.pathname.startsWith('/api/')) {
      void sendFile(response, url.pathname);
      return;
    }
    void readBody(request).then((body) => {
      state.world.requests.push(`${method} ${url.pathname}${url.search}`);
      const isUnsafe = method !== 'GET' && request.headers['x-playhead-csrf'] !== '1';
      const [status, json] = isUnsafe
        ? problem(403, 'csrf', 'header missing')
        : answer(state.world, { method, url, body, version: request.headers['if-match'] });
      response.writeHead(status, json === undefined ? {} : { 'content-type': 'application/json' });
      response.end(json === undefined ? undefined : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  });
}
