/** Fetches segments: each once, a few at a time, kept up to a bound in bytes, oldest use out first. */
import type { Segment } from './manifest';

export interface LoadedSegment {
  bytes: ArrayBuffer;
  /** Why the server had to stop before the segment's end, if it had to. */
  cut: string | null;
}

/** The server no longer has the segment: its manifest is out of date, or the session was erased. */
export class SegmentGone extends Error {
  constructor(readonly status: number) {
    super(`the recording has changed on the server (${String(status)})`);
  }
}

const CACHE_BYTES = 96 * 1024 * 1024;
const ATTEMPTS = 3;
const BACKOFF_MS = 400;

type Fetch = (href: string, options: { signal: AbortSignal }) => Promise<Response>;

interface Entry {
  promise: Promise<LoadedSegment>;
  bytes: number;
}

export class SegmentLoader {
  private readonly entries = new Map<string, Entry>();
  private readonly abort = new AbortController();
  private held = 0;

  constructor(
    private readonly fetchSegment: Fetch = (href, options) => fetch(href, { ...options, credentials: 'same-origin' }),
    private readonly limitBytes = CACHE_BYTES,
  ) {}

  load(segment: Segment): Promise<LoadedSegment> {
    const known = this.entries.get(segment.href);
    if (known !== undefined) {
      this.entries.delete(segment.href);
      this.entries.set(segment.href, known);
      return known.promise;
    }
    const entry: Entry = { promise: this.fetchWithRetry(segment.href), bytes: 0 };
    this.entries.set(segment.href, entry);
    entry.promise.then(
      (loaded) => this.keep(segment.href, entry, loaded.bytes.byteLength),
      () => this.entries.delete(segment.href),
    );
    return entry.promise;
  }

  close(): void {
    this.abort.abort();
    this.entries.clear();
  }

  private keep(href: string, entry: Entry, bytes: number): void {
    if (this.entries.get(href) !== entry) return;
    entry.bytes = bytes;
    this.held += bytes;
    for (const [oldest, old] of this.entries) {
      if (this.held <= this.limitBytes) return;
      if (oldest === href || old.bytes === 0) continue;
      this.entries.delete(oldest);
      this.held -= old.bytes;
    }
  }

  private async fetchWithRetry(href: string): Promise<LoadedSegment> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.fetchOnce(href);
      } catch (error) {
        if (error instanceof SegmentGone || attempt === ATTEMPTS || this.abort.signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * attempt));
      }
    }
  }

  private async fetchOnce(href: string): Promise<LoadedSegment> {
    const response = await this.fetchSegment(href, { signal: this.abort.signal });
    if (response.status === 404 || response.status === 410) throw new SegmentGone(response.status);
    if (!response.ok) throw new Error(`the server answered ${String(response.status)} for a part of the recording`);
    return { bytes: await response.arrayBuffer(), cut: response.headers.get('x-playhead-gap') };
  }
}
