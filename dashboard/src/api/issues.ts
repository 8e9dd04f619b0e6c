/** Issues: the groups that errors fall into. Shapes and calls of their part of the API. */
import type { Client } from 'openapi-fetch';
import { api } from './client';
import { Problem } from './problem';

export type IssueState = 'new' | 'ongoing' | 'regressed' | 'resolved' | 'archived';
export type PriorityLevel = 'high' | 'medium' | 'low';
export type IssueSort = 'priority' | 'last_seen' | 'first_seen' | 'events' | 'users' | 'sessions';

/** Members that may be null are not known. Times are milliseconds of the Unix epoch. */
export interface Issue {
  /** 32 hexadecimal digits. */
  id: string;
  title: string;
  culprit: string;
  type: string;
  mechanism: string;
  handled: boolean;
  state: IssueState;
  assignee: string | null;
  events: number;
  sessions: number;
  users: number;
  /** Whether `users` was counted to the end; if not, there are at least so many. */
  users_exact: boolean;
  first_seen_ms: number;
  last_seen_ms: number;
  first_release: string | null;
  last_release: string | null;
  /** Events of each hour, the oldest first. */
  hours_24: number[];
  /** Events of each day, the oldest first. */
  days_30: number[];
  /** The score is 0 to 100; the reason is one line. */
  priority: { score: number; level: PriorityLevel; reason: string };
  /** The newest occurrence; null when none is kept. */
  latest: Occurrence | null;
}

export interface Occurrence {
  session: string;
  event: string;
  time_ms: number;
  /** What waits behind its link; null in lists. */
  replay: OccurrenceReplay | null;
}

/** `none`: the page was not recorded; the time line is there. */
export type OccurrenceReplay = 'playable' | 'recording' | 'partial' | 'none' | 'erased' | 'expired';

/** A part of an error, and whether it decides to which issue the error belongs. */
export interface GroupingPart {
  name: string;
  values: string[];
  counted: boolean;
  why: string;
}

export const BREAKDOWNS = ['release', 'browser', 'os', 'page', 'country'] as const;
export type BreakdownName = (typeof BREAKDOWNS)[number];

export interface BreakdownValue {
  value: string;
  events: number;
}

export interface IssueChangeRecord {
  time_ms: number;
  actor: string;
  change: string;
}

export interface IssueDetail extends Issue {
  components: GroupingPart[];
  breakdowns: Record<BreakdownName, BreakdownValue[]>;
  history: IssueChangeRecord[];
}

export interface IssuePage {
  issues: Issue[];
  next: string | null;
  /** More issues are stored than one request looks at; those shown may not be the first ones. */
  partial: boolean;
  /** The issue that takes the errors of those beyond the bound of a project, if there are any. */
  overflow: string | null;
}

export interface IssueQuery {
  query?: string;
  sort?: IssueSort;
  limit?: number;
  cursor?: string;
}

/** What people change. An empty assignee is nobody. */
export interface IssueChange {
  state?: Extract<IssueState, 'ongoing' | 'resolved' | 'archived'>;
  assignee?: string;
  resolved_in?: 'now' | 'next_release';
}

interface Answer<Body> {
  responses: { 200: { headers: Record<string, unknown>; content: { 'application/json': Body } } };
}
interface Parameters<Path, Query = never> {
  parameters: { path: Path; query?: Query };
}
interface Body<Content> {
  requestBody: { content: { 'application/json': Content } };
}
interface IssuePaths {
  '/api/v1/projects/{project}/issues': { get: Parameters<{ project: string }, IssueQuery> & Answer<IssuePage> };
  '/api/v1/projects/{project}/issues/{issue}': {
    get: Parameters<{ project: string; issue: string }> & Answer<IssueDetail>;
    patch: Parameters<{ project: string; issue: string }> & Body<IssueChange> & Answer<unknown>;
  };
  '/api/v1/projects/{project}/issues/bulk': {
    post: Parameters<{ project: string }> & Body<IssueChange & { ids: string[] }> & Answer<unknown>;
  };
}

const issues = api as unknown as Client<IssuePaths>;

function bodyOf<Content>({ data }: { data?: Content }): Content {
  if (data === undefined || data === null) throw Problem.fromBody(502, { detail: 'The server sent an empty answer.' });
  return data;
}

export const fetchIssues = async (project: string, query: IssueQuery, signal?: AbortSignal): Promise<IssuePage> =>
  bodyOf(await issues.GET('/api/v1/projects/{project}/issues', { params: { path: { project }, query }, signal }));

export const fetchIssue = async (project: string, issue: string, signal?: AbortSignal): Promise<IssueDetail> =>
  bodyOf(
    await issues.GET('/api/v1/projects/{project}/issues/{issue}', { params: { path: { project, issue } }, signal }),
  );

/** The most that one request changes. */
const BULK_MAX = 100;

/** Changes one issue, or many at once. */
export async function changeIssues(project: string, ids: readonly string[], change: IssueChange): Promise<void> {
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const path = { project, issue: only };
    await issues.PATCH('/api/v1/projects/{project}/issues/{issue}', { params: { path }, body: change });
    return;
  }
  for (let start = 0; start < ids.length; start += BULK_MAX) {
    const body = { ids: ids.slice(start, start + BULK_MAX), ...change };
    await issues.POST('/api/v1/projects/{project}/issues/bulk', { params: { path: { project } }, body });
  }
}
