/** Jira for browser tests: a connection and Jira issues that a test sets, and what the API does to them. */
import type {
  JiraChoice,
  JiraConnection,
  JiraDefaults,
  JiraDraft,
  JiraField,
  JiraIssue,
  JiraTest,
} from '../../src/api/jira';

export interface JiraWorld {
  connection: JiraConnection | null;
  /** By the id of our issue. */
  issues: Map<string, JiraIssue>;
  fields: JiraField[];
  users: JiraChoice[];
  test: JiraTest;
  /** What was sent to be saved, and to be created. */
  drafts: JiraDraft[];
  created: JiraDefaults[];
  /** The next creation is refused so: by the id of the field. */
  refuses: Record<string, string> | null;
  /** A creation began whose outcome is not known. */
  unsure: boolean;
}

export function makeConnection(change: Partial<JiraConnection> = {}): JiraConnection {
  return {
    site: 'https://acme.atlassian.net',
    kind: 'cloud',
    email: 'playhead@acme.example',
    token_hint: '…x7Qa',
    defaults: { project: 'SHOP', issue_type: '1', fields: { customfield_1: '11' } },
    sync_state: true,
    sync_assignee: true,
    comments: false,
    version: 3,
    changed_at: Date.now() - 86_400_000,
    fault: null,
    fault_at: null,
    ...change,
  };
}

export function makeJiraIssue(change: Partial<JiraIssue> = {}): JiraIssue {
  return {
    key: 'SHOP-7',
    url: 'https://acme.atlassian.net/browse/SHOP-7',
    status: 'In Progress',
    category: 'in_progress',
    assignee: 'Ana Lima',
    created_at: Date.now() - 3_600_000,
    created_by: 'administrator',
    checked_at: Date.now() - 60_000,
    gone: false,
    fault: null,
    fault_at: null,
    pending: false,
    ...change,
  };
}

export function makeJira(change: Partial<JiraWorld> = {}): JiraWorld {
  return {
    connection: null,
    issues: new Map(),
    fields: [
      {
        id: 'customfield_1',
        name: 'Team',
        kind: 'option',
        detail: null,
        options: [
          { id: '11', name: 'Payments' },
          { id: '12', name: 'Search' },
        ],
      },
      { id: 'customfield_2', name: 'Found on', kind: 'date', detail: null, options: [] },
      { id: 'customfield_3', name: 'Owner', kind: 'user', detail: null, options: [] },
    ],
    users: [
      { id: 'acc-ana', name: 'Ana Lima' },
      { id: 'acc-bo', name: 'Bo Li' },
    ],
    test: { works: true, detail: 'Jira knows us as Playhead bot', retryable: false },
    drafts: [],
    created: [],
    refuses: null,
    unsure: false,
    ...change,
  };
}

type Answer = [status: number, body?: unknown];

const problem = (status: number, code: string, detail: string, fields = {}): Answer => [
  status,
  { type: `urn:playhead:problem:${code}`, title: code, status, detail, fields },
];

const HOOK = { url: 'https://play.example/api/v1/projects/0123456789abc/jira/hook/0f1e2d', secret: 'c0ffee' };

/** `rest`: behind `/jira`. */
export function answerJira(world: JiraWorld, method: string, rest: string, url: URL, body: unknown): Answer {
  const route = `${method} ${rest}`;
  if (route === 'GET ') return [200, { connection: world.connection }];
  if (route === 'PUT ') return save(world, body as JiraDraft);
  if (route === 'DELETE ') {
    world.connection = null;
    return [204];
  }
  if (world.connection === null) return problem(409, 'jira-not-connected', 'the project is not connected to Jira');
  if (route === 'POST /test') return [200, world.test];
  if (route === 'POST /hook') return [200, HOOK];
  if (route === 'GET /projects') return [200, { items: [{ id: 'SHOP', name: 'Shop' }] }];
  if (route === 'GET /types') {
    const types = [
      { id: '1', name: 'Bug', subtask: false },
      { id: '2', name: 'Task', subtask: false },
    ];
    return [200, { items: types }];
  }
  if (route === 'GET /fields') return [200, { items: url.searchParams.get('issue_type') === '1' ? world.fields : [] }];
  if (route === 'GET /users') {
    const query = (url.searchParams.get('query') ?? '').toLowerCase();
    return [200, { items: world.users.filter(({ name }) => name.toLowerCase().includes(query)) }];
  }
  return problem(404, 'not-found', 'there is nothing here');
}

function save(world: JiraWorld, draft: JiraDraft): Answer {
  world.drafts.push(draft);
  const known = world.connection;
  const { token, site, kind, defaults, email, sync_state, sync_assignee, comments } = draft;
  world.connection = makeConnection({
    site,
    kind,
    defaults,
    email: email ?? null,
    sync_state: sync_state ?? false,
    sync_assignee: sync_assignee ?? false,
    comments: comments ?? false,
    token_hint: token ? `…${token.slice(-4)}` : (known?.token_hint ?? ''),
    version: (known?.version ?? 0) + 1,
  });
  return [200, { connection: world.connection, hook: known === null ? HOOK : null }];
}

const stateOf = (world: JiraWorld, issue: string): Answer => [
  200,
  {
    connected: world.connection !== null,
    fault: world.connection?.fault ?? null,
    issue: world.issues.get(issue) ?? null,
    unsure: world.unsure,
  },
];

/** `rest`: behind the `/jira` of an issue. */
export function answerJiraIssue(world: JiraWorld, method: string, issue: string, rest: string, body: unknown): Answer {
  const known = world.issues.get(issue);
  if (method === 'GET') return stateOf(world, issue);
  if (method === 'DELETE') {
    world.issues.delete(issue);
    return [204];
  }
  if (rest === '/refresh') {
    if (known) world.issues.set(issue, { ...known, status: 'Done', category: 'done', checked_at: Date.now() });
    return stateOf(world, issue);
  }
  if (world.refuses !== null) {
    const fields = world.refuses;
    world.refuses = null;
    return problem(422, 'jira-refused', Object.values(fields).join('; '), fields);
  }
  world.created.push(body as JiraDefaults);
  world.issues.set(issue, makeJiraIssue({ status: 'To Do', category: 'to_do', assignee: null }));
  return stateOf(world, issue);
}
