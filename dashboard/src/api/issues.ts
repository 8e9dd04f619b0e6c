/** Issues: the groups that errors fall into. Shapes (generated: see `schema.ts`) and calls of their part of the API. */
import { api } from './client';
import { bodyOf } from './endpoints';
import type { Complete, DiscardedIssue, DryRun, GroupingRule } from './model';
import type { components, operations } from './schema';

type Schemas = components['schemas'];

export type IssueState = Schemas['IssueState'];
/** What brings an archived issue back. */
export type ArchivedUntil = Complete<Schemas['ArchivedUntil']>;
export type PriorityLevel = Schemas['PriorityLevel'];
/** Members that may be null are not known. Times are milliseconds of the Unix epoch. */
export type Issue = Complete<Schemas['Issue']>;
export type Occurrence = Complete<Schemas['Occurrence']>;
/** `none`: the page was not recorded; the time line is there. */
export type OccurrenceReplay = NonNullable<Occurrence['replay']>;
/** A part of an error, and whether it decides to which issue the error belongs. */
export type GroupingPart = Complete<Schemas['GroupingPart']>;
export type BreakdownValue = Complete<Schemas['BreakdownValue']>;
export type IssueChangeRecord = Complete<Schemas['IssueChangeRecord']>;
/** An issue that is shown as a part of another; its title is null once nothing of it is kept. */
export type IssueMember = Complete<Schemas['IssueMember']>;
export type IssueDetail = Complete<Schemas['IssueDetail']>;
export type IssuePage = Complete<Schemas['IssuePage']>;
export type IssueQuery = NonNullable<operations['list_issues']['parameters']['query']>;
export type IssueSort = NonNullable<IssueQuery['sort']>;
/** What people change. An empty assignee is nobody. */
export type IssueChange = { [Name in keyof Schemas['IssuePatch']]?: NonNullable<Schemas['IssuePatch'][Name]> };

export const BREAKDOWNS = ['release', 'browser', 'os', 'page', 'country'] as const;
export type BreakdownName = (typeof BREAKDOWNS)[number];

export const fetchIssues = async (project: string, query: IssueQuery, signal?: AbortSignal): Promise<IssuePage> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/issues', { params: { path: { project }, query }, signal }));

export const fetchIssue = async (project: string, issue: string, signal?: AbortSignal): Promise<IssueDetail> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/issues/{issue}', { params: { path: { project, issue } }, signal }));

/** Makes issues one, shown as `into`. */
export const mergeIssues = async (project: string, ids: readonly string[], into: string): Promise<IssueDetail> =>
  bodyOf(
    await api.POST('/api/v1/projects/{project}/issues/merge', {
      params: { path: { project } },
      body: { ids: [...ids], into },
    }),
  );

/** Takes an issue out of the one into which it was merged. */
export const splitIssue = async (project: string, issue: string): Promise<IssueDetail> =>
  bodyOf(await api.POST('/api/v1/projects/{project}/issues/{issue}/split', { params: { path: { project, issue } } }));

/** Drops issues with what there is of them; answers how many, as others may be gone. */
export async function discardIssues(project: string, ids: readonly string[]): Promise<number> {
  let discarded = 0;
  for (let start = 0; start < ids.length; start += BULK_MAX) {
    const body = { ids: ids.slice(start, start + BULK_MAX) };
    const answer = await api.POST('/api/v1/projects/{project}/issues/discard', { params: { path: { project } }, body });
    discarded += bodyOf(answer).changed.length;
  }
  return discarded;
}

export const fetchDiscardedIssues = async (project: string, signal?: AbortSignal): Promise<DiscardedIssue[]> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/issues/discarded', { params: { path: { project } }, signal })).items;

/** Takes errors of a discarded issue again; answers all discarded issues. */
export const restoreIssue = async (project: string, issue: string): Promise<DiscardedIssue[]> =>
  bodyOf(await api.POST('/api/v1/projects/{project}/issues/{issue}/restore', { params: { path: { project, issue } } }))
    .items;

/** What rules would have made of the last week. */
export const tryGroupingRules = async (project: string, rules: readonly GroupingRule[]): Promise<DryRun> =>
  bodyOf(
    await api.POST('/api/v1/projects/{project}/grouping-rules/dry-run', {
      params: { path: { project } },
      body: { rules: [...rules] },
    }),
  );

/** The most that one request changes. */
const BULK_MAX = 100;

/** Changes one issue, or many at once. */
export async function changeIssues(project: string, ids: readonly string[], change: IssueChange): Promise<number> {
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const path = { project, issue: only };
    await api.PATCH('/api/v1/projects/{project}/issues/{issue}', { params: { path }, body: change });
    return 1;
  }
  let changed = 0;
  for (let start = 0; start < ids.length; start += BULK_MAX) {
    const body = { ids: ids.slice(start, start + BULK_MAX), ...change };
    const answer = await api.POST('/api/v1/projects/{project}/issues/bulk', { params: { path: { project } }, body });
    changed += bodyOf(answer).changed.length;
  }
  return changed;
}
