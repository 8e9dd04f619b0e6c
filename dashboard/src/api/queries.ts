import { queryOptions, useQuery } from '@tanstack/react-query';
import { fetchMe, fetchProjects, fetchProjectStatus, fetchSecretKeys, fetchSession, fetchStack } from './endpoints';
import type { Project } from './model';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => fetchMe(signal),
  staleTime: 5 * 60_000,
});

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: ({ signal }) => fetchProjects(signal),
  staleTime: 60_000,
});

export const projectStatusQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['project-status', projectId],
    queryFn: ({ signal }) => fetchProjectStatus(projectId, signal),
  });

export const secretKeysQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['secret-keys', projectId],
    queryFn: ({ signal }) => fetchSecretKeys(projectId, signal),
  });

export const sessionQuery = (projectId: string, sessionId: string) =>
  queryOptions({
    queryKey: ['session', projectId, sessionId],
    queryFn: ({ signal }) => fetchSession(projectId, sessionId, signal),
  });

/** Read again when it is shown again: somebody may have uploaded a source map since. */
export const stackQuery = (projectId: string, sessionId: string, eventId: string) =>
  queryOptions({
    queryKey: ['stack', projectId, sessionId, eventId],
    queryFn: ({ signal }) => fetchStack(projectId, sessionId, eventId, signal),
    staleTime: 10_000,
  });

/** The project of that id; undefined while projects load or when there is none. */
export function useProject(projectId: string): Project | undefined {
  return useQuery(projectsQuery).data?.find((candidate) => candidate.id === projectId);
}
