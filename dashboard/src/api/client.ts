import { Problem } from './problem';

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

/** Sends a request to the API and returns the answer; throws a {@link Problem} for anything but a 2xx or a 304. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const url = query.size > 0 ? `${path}?${query.toString()}` : path;
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
  if (options.method && options.method !== 'GET') headers['x-playhead-csrf'] = '1';
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(url, {
    method: options.method ?? 'GET',
    headers,
    credentials: 'same-origin',
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ?? null,
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw error;
    throw Problem.unreachable(error);
  });
  if (response.ok || response.status === 304) return response;
  throw Problem.fromBody(response.status, await response.json().catch(() => null));
}

/** Like {@link send}, with the body read as JSON. */
export async function sendForJson<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(path, options);
  return (await response.json()) as Answer;
}
