/** What became of an attempt. */
export type Outcome =
  | { kind: 'accepted' }
  /** Try again, not before `afterMs` when the server said so. */
  | { kind: 'retry'; afterMs?: number }
  /** The server will never take this batch. */
  | { kind: 'refused'; tooLarge: boolean }
  /** The session's token is not taken; the key may be. */
  | { kind: 'bad_token' }
  /** Nothing of this page will be taken. */
  | { kind: 'stop' };

const ATTEMPT_TIMEOUT_MS = 30_000;
const MAX_RETRY_AFTER_MS = 10 * 60_000;

function retryAfterMs(header: string | null): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? Math.min(ms, MAX_RETRY_AFTER_MS) : undefined;
}

function outcomeOf(response: Response, withToken: boolean): Outcome {
  const { status } = response;
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  if (status === 401) return withToken ? { kind: 'bad_token' } : { kind: 'stop' };
  if (status === 403) return withToken ? { kind: 'bad_token' } : { kind: 'stop' };
  if (status === 408 || status === 429 || status >= 500) {
    const afterMs = retryAfterMs(response.headers.get('Retry-After'));
    return afterMs === undefined ? { kind: 'retry' } : { kind: 'retry', afterMs };
  }
  return { kind: 'refused', tooLarge: status === 413 };
}

/** Speaks HTTP with the page's untouched `fetch`. */
export class Transport {
  constructor(
    private readonly endpoint: string,
    private readonly nativeFetch: typeof fetch,
  ) {}

  async sendBatch(body: Uint8Array<ArrayBuffer>, withToken: boolean, keepalive: boolean): Promise<Outcome> {
    try {
      return outcomeOf(await this.post('/v1/batches', body, keepalive), withToken);
    } catch {
      return { kind: 'retry' };
    }
  }

  /** The answer of `POST /v1/sessions`, or undefined when there is none to be had now. */
  async openSession(body: string): Promise<unknown> {
    try {
      const response = await this.post('/v1/sessions', body, false);
      return response.ok ? ((await response.json()) as unknown) : undefined;
    } catch {
      return undefined;
    }
  }

  private async post(path: string, body: BodyInit, keepalive: boolean): Promise<Response> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ATTEMPT_TIMEOUT_MS);
    try {
      const { nativeFetch } = this;
      return await nativeFetch(this.endpoint + path, {
        method: 'POST',
        body,
        keepalive,
        mode: 'cors',
        credentials: 'omit',
        cache: 'no-store',
        referrerPolicy: 'origin',
        headers: { 'Content-Type': 'text/plain' },
        signal: abort.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
