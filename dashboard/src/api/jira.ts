/** Jira: a project's connection and the Jira issues of its issues. Shapes (generated: see `schema.ts`) and calls. */
import { api } from './client';
import { bodyOf } from './endpoints';
import type { Complete } from './model';
import type { components } from './schema';

type Schemas = components['schemas'];

export type JiraConnection = Complete<Omit<Schemas['JiraConnection'], 'defaults'>> & { defaults: JiraDefaults | null };
export type JiraKind = Schemas['JiraKind'];
/** What a field takes: a text, the id of an option or user, a number, or a list of these. */
export type JiraValue = string | number | string[];
export type JiraValues = Record<string, JiraValue>;
export interface JiraDefaults {
  project: string;
  issue_type: string;
  fields: JiraValues;
}
export type JiraDraft = Omit<Schemas['JiraDraft'], 'defaults'> & { defaults: JiraDefaults | null };
export type JiraHook = Schemas['JiraHook'];
export type JiraTest = Complete<Schemas['JiraTest']>;
export type JiraChoice = Schemas['JiraChoice'];
export type JiraIssueType = Schemas['JiraIssueType'];
export type JiraField = Complete<Schemas['JiraField']>;
export type JiraFieldKind = Schemas['JiraFieldKind'];
export type JiraIssue = Complete<Schemas['JiraIssue']>;
export type JiraCategory = Schemas['JiraCategory'];
export type JiraState = Complete<Schemas['JiraState']>;

/** Values of fields are free in the document, which the generated types take for none at all. */
const free = <Body>(body: JiraDraft | JiraDefaults): Body => body as unknown as Body;

const BASE = '/api/v1/projects/{project}/jira';
const OF_ISSUE = '/api/v1/projects/{project}/issues/{issue}/jira';
const inProject = (project: string) => ({ params: { path: { project } } });

export const fetchJira = async (project: string, signal?: AbortSignal): Promise<JiraConnection | null> =>
  bodyOf(await api.GET(BASE, { ...inProject(project), signal })).connection as JiraConnection | null;
export const saveJira = async (
  project: string,
  draft: JiraDraft,
): Promise<{ connection: JiraConnection; hook: JiraHook | null }> =>
  bodyOf(await api.PUT(BASE, { ...inProject(project), body: free<Schemas['JiraDraft']>(draft) })) as {
    connection: JiraConnection;
    hook: JiraHook | null;
  };
export async function disconnectJira(project: string): Promise<void> {
  await api.DELETE(BASE, inProject(project));
}
export const testJira = async (project: string): Promise<JiraTest> =>
  bodyOf(await api.POST(`${BASE}/test`, inProject(project)));
export const renewJiraHook = async (project: string): Promise<JiraHook> =>
  bodyOf(await api.POST(`${BASE}/hook`, inProject(project)));

export const fetchJiraProjects = async (project: string, query: string, signal?: AbortSignal): Promise<JiraChoice[]> =>
  bodyOf(await api.GET(`${BASE}/projects`, { params: { path: { project }, query: { query } }, signal })).items;
export const fetchJiraTypes = async (project: string, key: string, signal?: AbortSignal): Promise<JiraIssueType[]> =>
  bodyOf(await api.GET(`${BASE}/types`, { params: { path: { project }, query: { project: key } }, signal })).items;
/** Those that Jira requires and that are not filled in by themselves. */
export const fetchJiraFields = async (
  project: string,
  key: string,
  issueType: string,
  signal?: AbortSignal,
): Promise<JiraField[]> =>
  bodyOf(
    await api.GET(`${BASE}/fields`, {
      params: { path: { project }, query: { project: key, issue_type: issueType } },
      signal,
    }),
  ).items;
export const fetchJiraUsers = async (
  project: string,
  key: string,
  query: string,
  signal?: AbortSignal,
): Promise<JiraChoice[]> =>
  bodyOf(await api.GET(`${BASE}/users`, { params: { path: { project }, query: { project: key, query } }, signal }))
    .items;

export const fetchJiraState = async (project: string, issue: string, signal?: AbortSignal): Promise<JiraState> =>
  bodyOf(await api.GET(OF_ISSUE, { params: { path: { project, issue } }, signal }));
export const createJiraIssue = async (project: string, issue: string, wanted: JiraDefaults): Promise<JiraState> =>
  bodyOf(
    await api.POST(OF_ISSUE, { params: { path: { project, issue } }, body: free<Schemas['NewJiraIssue']>(wanted) }),
  );
export const refreshJiraIssue = async (project: string, issue: string): Promise<JiraState> =>
  bodyOf(await api.POST(`${OF_ISSUE}/refresh`, { params: { path: { project, issue } } }));
export async function unlinkJiraIssue(project: string, issue: string): Promise<void> {
  await api.DELETE(OF_ISSUE, { params: { path: { project, issue } } });
}
