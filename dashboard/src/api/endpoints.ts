import { send, sendForJson } from './client';
import type {
  CreatedSecretKey,
  DeadLetterPage,
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

const part = encodeURIComponent;
const project = (id: string) => `/api/v1/projects/${part(id)}`;
const session = (projectId: string, id: string) => `${project(projectId)}/sessions/${part(id)}`;

export const signIn = (token: string) => send('/api/v1/sign-in', { method: 'POST', body: { token } });
export const signOut = () => send('/api/v1/sign-out', { method: 'POST' });
export const fetchMe = (signal?: AbortSignal) => sendForJson<Me>('/api/v1/me', { signal });

export const fetchProjects = async (signal?: AbortSignal) =>
  (await sendForJson<{ items: Project[] }>('/api/v1/projects', { signal })).items;
export const updateProject = (id: string, patch: ProjectPatch) =>
  sendForJson<Project>(project(id), { method: 'PATCH', body: patch });
export const fetchProjectStatus = (id: string, signal?: AbortSignal) =>
  sendForJson<ProjectStatus>(`${project(id)}/status`, { signal });

export const fetchSecretKeys = async (id: string, signal?: AbortSignal) =>
  (await sendForJson<{ items: SecretKey[] }>(`${project(id)}/secret-keys`, { signal })).items;
export const createSecretKey = (id: string) =>
  sendForJson<CreatedSecretKey>(`${project(id)}/secret-keys`, { method: 'POST' });
export const revokeSecretKey = (id: string, keyId: string) =>
  send(`${project(id)}/secret-keys/${part(keyId)}`, { method: 'DELETE' });

export const fetchDeadLetters = (id: string, cursor: string | undefined, signal?: AbortSignal) =>
  sendForJson<DeadLetterPage>(`${project(id)}/dead-letters`, { query: { limit: 50, cursor }, signal });

/** Query parameters of the list, by the API's names. */
export type SessionQuery = Record<string, string | number | boolean | undefined>;
export const fetchSessions = (id: string, query: SessionQuery, signal?: AbortSignal) =>
  sendForJson<SessionPage>(`${project(id)}/sessions`, { query, signal });
export const fetchSession = (projectId: string, id: string, signal?: AbortSignal) =>
  sendForJson<Session>(session(projectId, id), { signal });
export const deleteSession = (projectId: string, id: string) => send(session(projectId, id), { method: 'DELETE' });
/** Deletes every session of a user, given by id or e-mail address; answers how many there were. */
export const deleteUser = (projectId: string, user: string) =>
  sendForJson<{ sessions: number }>(`${project(projectId)}/users/${part(user)}`, { method: 'DELETE' });

export interface EventQuery {
  /** Kinds with commas between them. */
  kinds?: string;
  q?: string;
  /** At most 1000. */
  limit?: number;
  cursor?: string;
}
export const fetchEvents = (projectId: string, id: string, query: EventQuery, signal?: AbortSignal) =>
  sendForJson<EventPage>(`${session(projectId, id)}/events`, { query: { ...query }, signal });

export interface ManifestAnswer {
  /** Null when nothing changed since the ETag that was given. */
  manifest: Manifest | null;
  etag: string | null;
}
export async function fetchManifest(
  projectId: string,
  id: string,
  etag: string | null = null,
  signal?: AbortSignal,
): Promise<ManifestAnswer> {
  const headers: Record<string, string> = etag ? { 'if-none-match': etag } : {};
  const response = await send(`${session(projectId, id)}/replay`, { headers, signal });
  if (response.status === 304) return { manifest: null, etag };
  return { manifest: (await response.json()) as Manifest, etag: response.headers.get('etag') };
}
