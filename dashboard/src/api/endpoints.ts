import { api } from './client';
import type {
  Complete,
  ErrorStack,
  EventPage,
  Manifest,
  Me,
  Project,
  ProjectPatch,
  ProjectStatus,
  SecretKey,
  Session,
  SessionPage,
} from './model';
import { Problem } from './problem';
import type { operations } from './schema';

/** The body of a 2xx. The client throws for anything else, so that only an empty body is left to refuse. */
export function bodyOf<Body>({ data }: { data?: Body }): Complete<Body> {
  if (data === undefined || data === null) throw Problem.fromBody(502, { detail: 'The server sent an empty answer.' });
  return data as Complete<Body>;
}

const inProject = (project: string) => ({ params: { path: { project } } });
const inSession = (project: string, session: string) => ({ params: { path: { project, session } } });

export async function signIn(token: string): Promise<void> {
  await api.POST('/api/v1/sign-in', { body: { token } });
}
export async function signOut(): Promise<void> {
  await api.POST('/api/v1/sign-out');
}
export const fetchMe = async (signal?: AbortSignal): Promise<Me> => bodyOf(await api.GET('/api/v1/me', { signal }));

export const fetchProjects = async (signal?: AbortSignal): Promise<Project[]> =>
  bodyOf(await api.GET('/api/v1/projects', { signal })).items;
export const updateProject = async (project: string, patch: ProjectPatch): Promise<Project> =>
  bodyOf(await api.PATCH('/api/v1/projects/{project}', { ...inProject(project), body: patch }));
export const fetchProjectStatus = async (project: string, signal?: AbortSignal): Promise<ProjectStatus> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/status', { ...inProject(project), signal }));

export const fetchSecretKeys = async (project: string, signal?: AbortSignal): Promise<SecretKey[]> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/secret-keys', { ...inProject(project), signal })).items;
export const createSecretKey = async (project: string) =>
  bodyOf(await api.POST('/api/v1/projects/{project}/secret-keys', inProject(project)));
export async function revokeSecretKey(project: string, key: string): Promise<void> {
  await api.DELETE('/api/v1/projects/{project}/secret-keys/{key}', { params: { path: { project, key } } });
}

export const fetchDeadLetters = async (project: string, cursor: string | undefined, signal?: AbortSignal) =>
  bodyOf(
    await api.GET('/api/v1/projects/{project}/dead-letters', {
      params: { path: { project }, query: { limit: 50, cursor } },
      signal,
    }),
  );

/** Query parameters of the list, by the API's names; `cursor` is the `next` of the page before. */
export type SessionQuery = NonNullable<operations['list_sessions']['parameters']['query']>;
export const fetchSessions = async (project: string, query: SessionQuery, signal?: AbortSignal): Promise<SessionPage> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/sessions', { params: { path: { project }, query }, signal }));
export const fetchSession = async (project: string, session: string, signal?: AbortSignal): Promise<Session> =>
  bodyOf(await api.GET('/api/v1/projects/{project}/sessions/{session}', { ...inSession(project, session), signal }));
export async function deleteSession(project: string, session: string): Promise<void> {
  await api.DELETE('/api/v1/projects/{project}/sessions/{session}', inSession(project, session));
}
/** Deletes every session of a user, given by id or e-mail address; answers how many there were. */
export const deleteUser = async (project: string, user: string) =>
  bodyOf(await api.DELETE('/api/v1/projects/{project}/users/{user}', { params: { path: { project, user } } }));

/** `kinds` with commas between them; `limit` at most 1000. */
export type EventQuery = Pick<
  NonNullable<operations['list_events']['parameters']['query']>,
  'kinds' | 'q' | 'limit' | 'cursor'
>;
export const fetchEvents = async (
  project: string,
  session: string,
  query: EventQuery,
  signal?: AbortSignal,
): Promise<EventPage> =>
  bodyOf(
    await api.GET('/api/v1/projects/{project}/sessions/{session}/events', {
      params: { path: { project, session }, query },
      signal,
    }),
  );

/** The stack of an error, read with the source maps that are there now. */
export const fetchStack = async (
  project: string,
  session: string,
  event: string,
  signal?: AbortSignal,
): Promise<ErrorStack> =>
  bodyOf(
    await api.GET('/api/v1/projects/{project}/sessions/{session}/events/{event}/stack', {
      params: { path: { project, session, event } },
      signal,
    }),
  );

export interface ManifestAnswer {
  /** Null when nothing changed since the ETag that was given. */
  manifest: Manifest | null;
  etag: string | null;
}
export async function fetchManifest(
  project: string,
  session: string,
  etag: string | null = null,
  signal?: AbortSignal,
): Promise<ManifestAnswer> {
  const answer = await api.GET('/api/v1/projects/{project}/sessions/{session}/replay', {
    ...inSession(project, session),
    headers: etag ? { 'if-none-match': etag } : {},
    signal,
  });
  if (answer.response.status === 304) return { manifest: null, etag };
  return { manifest: bodyOf(answer), etag: answer.response.headers.get('etag') };
}
