import createClient, { type Middleware } from 'openapi-fetch';
import { Problem } from './problem';
import type { paths } from './schema';

/** What is not a 2xx or a 304 is thrown as a {@link Problem}, and so is no answer at all. */
const problems: Middleware = {
  onRequest: ({ request }) => {
    // The server asks for this header where only the cookie says who we are: other sites cannot set it.
    if (request.method !== 'GET') request.headers.set('x-playhead-csrf', '1');
  },
  onResponse: async ({ response }) => {
    if (response.ok || response.status === 304) return;
    throw Problem.fromBody(response.status, await response.json().catch(() => null));
  },
  onError: ({ error, request }) => {
    if (!request.signal.aborted) throw Problem.unreachable(error);
  },
};

/** The API of the server that this page came from. Every path, parameter and answer is typed by its document. */
export const api = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: 'same-origin',
  headers: { accept: 'application/json' },
});
api.use(problems);
