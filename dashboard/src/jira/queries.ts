import { queryOptions } from '@tanstack/react-query';
import {
  fetchJira,
  fetchJiraFields,
  fetchJiraProjects,
  fetchJiraState,
  fetchJiraTypes,
  fetchJiraUsers,
} from '../api/jira';

/** What Jira has changes seldom, and each question is one to Jira. */
const JIRA_STALE_MS = 60_000;

export const jiraQuery = (project: string) =>
  queryOptions({ queryKey: ['jira', project], queryFn: ({ signal }) => fetchJira(project, signal) });

export const jiraStateQuery = (project: string, issue: string) =>
  queryOptions({
    queryKey: ['jira-issue', project, issue],
    queryFn: ({ signal }) => fetchJiraState(project, issue, signal),
  });

/** Questions to Jira itself; all of them are asked anew when the connection changes. */
export const askedKey = (project: string) => ['jira-asked', project] as const;

const asked = { staleTime: JIRA_STALE_MS, retry: false } as const;

export const jiraProjectsQuery = (project: string, query: string) =>
  queryOptions({
    queryKey: [...askedKey(project), 'projects', query],
    queryFn: ({ signal }) => fetchJiraProjects(project, query, signal),
    ...asked,
  });

export const jiraTypesQuery = (project: string, key: string) =>
  queryOptions({
    queryKey: [...askedKey(project), 'types', key],
    queryFn: ({ signal }) => fetchJiraTypes(project, key, signal),
    enabled: key !== '',
    ...asked,
  });

export const jiraFieldsQuery = (project: string, key: string, issueType: string) =>
  queryOptions({
    queryKey: [...askedKey(project), 'fields', key, issueType],
    queryFn: ({ signal }) => fetchJiraFields(project, key, issueType, signal),
    enabled: key !== '' && issueType !== '',
    ...asked,
  });

export const jiraUsersQuery = (project: string, key: string, query: string) =>
  queryOptions({
    queryKey: [...askedKey(project), 'users', key, query],
    queryFn: ({ signal }) => fetchJiraUsers(project, key, query, signal),
    enabled: key !== '',
    ...asked,
  });
