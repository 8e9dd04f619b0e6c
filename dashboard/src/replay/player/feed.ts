/**
 * Keeps the stage's window supplied: opens it at a key frame, appends what follows before it is needed, and opens the
 * next window when this one has grown too large.
 */
import type { Span } from '../protocol';
import { type Gap, locate, type Manifest, type Segment, type Stream } from './manifest';
import type { StagePort } from './port';
import type { SegmentLoader } from './segments';

/** How far ahead of the play head segments are in the window, and how far ahead they are fetched. */
const APPEND_AHEAD_MS = 20_000;
const FETCH_AHEAD_MS = 60_000;
const FETCH_AHEAD_BYTES = 24 * 1024 * 1024;

/** A jump ahead past a later key frame is played through when it is shorter than this; else a new window is faster. */
const PLAYED_THROUGH_MS = 30_000;

/** A window that holds more than this is left at the next key frame: rrweb keeps all its events. */
const WINDOW_BYTES = 24 * 1024 * 1024;

interface OpenWindow {
  id: number;
  stream: string;
  /** Segments by their sequence numbers, which stay when the server compacts. */
  firstSeq: number;
  keyFrom: number;
  /** The newest one that was sent, and the newest one that the stage has taken in. */
  sentSeq: number;
  takenSeq: number;
  takenUntil: number;
  /** Where the play head was last. */
  at: number;
  bytes: number;
  state: 'loading' | 'shown';
  /** Segments on their way to the stage, by id. */
  sent: Map<string, Segment>;
}

export class Feed {
  private current: OpenWindow | null = null;
  private counter = 0;
  private appending = false;

  constructor(
    private readonly port: StagePort,
    private readonly loader: SegmentLoader,
    private readonly manifest: () => Manifest,
    private readonly failed: (error: unknown) => void,
    /** The server had to stop before a segment's end. */
    private readonly cut: (reason: string) => void,
  ) {}

  /** The number of the window that counts; messages of others are out of date. */
  get window(): number {
    return this.current?.id ?? -1;
  }

  get opening(): boolean {
    return this.current?.state === 'loading';
  }

  /** Whether the window on stage can go to `at` by playing on: same key frame, not backward, and all of it there. */
  holds(stream: Stream, at: number): boolean {
    const window = this.current;
    const place = locate(stream, at);
    if (window?.state !== 'shown' || window.stream !== stream.id || place === null || at < window.at) return false;
    const last = stream.segments[place.last];
    const key = stream.segments[place.key];
    if (last === undefined || key === undefined || last.last_seq > window.takenSeq) return false;
    return key.from_ms <= window.keyFrom || at - window.at < PLAYED_THROUGH_MS;
  }

  /** Whether the window on stage is of this stream and not past `at`. */
  shows(stream: Stream, at: number): boolean {
    const window = this.current;
    return window?.state === 'shown' && window.stream === stream.id && at >= window.at;
  }

  async open(stream: Stream, at: number): Promise<void> {
    const place = locate(stream, at);
    const key = place === null ? undefined : stream.segments[place.key];
    if (place === null || key === undefined) return this.clear();
    const segments = stream.segments.slice(place.key, place.last + 1);
    const window = this.replace(stream, key, segments, at);
    try {
      const loaded = await Promise.all(segments.map((segment) => this.loader.load(segment)));
      if (this.current !== window) return;
      for (const each of loaded) if (each.cut !== null) this.cut(each.cut);
      this.port.send({
        kind: 'open',
        window: window.id,
        at: this.epoch(at),
        clockOffset: stream.clock_offset_ms,
        chunks: loaded.map((each) => each.bytes),
        gaps: this.spans(stream.gaps),
      });
    } catch (error) {
      if (this.current !== window) return;
      this.current = null;
      this.failed(error);
    }
  }

  /** Fetches what a window at `at` would need, as the viewer is about to go there. */
  prefetch(stream: Stream, at: number): void {
    const place = locate(stream, at);
    if (place === null) return;
    for (const segment of stream.segments.slice(place.key, place.last + 1)) this.loader.load(segment).catch(ignore);
  }

  opened(): void {
    if (this.current !== null) this.current.state = 'shown';
  }

  /** The stage has taken in a segment; null stands for those that came with the opening. */
  appended(id: string | null): void {
    const window = this.current;
    if (window === null) return;
    const taken = id === null ? [] : [window.sent.get(id)];
    for (const segment of taken) {
      if (segment === undefined) continue;
      window.takenSeq = Math.max(window.takenSeq, segment.last_seq);
      window.takenUntil = Math.max(window.takenUntil, segment.to_ms);
      window.sent.delete(segment.id);
    }
  }

  play(at: number, speed: number): void {
    if (this.current?.state !== 'shown') return;
    this.current.at = Math.max(this.current.at, at);
    this.port.send({ kind: 'play', window: this.current.id, at: this.epoch(at), speed });
  }

  pause(at: number): void {
    if (this.current?.state !== 'shown') return;
    this.current.at = Math.max(this.current.at, at);
    this.port.send({ kind: 'pause', window: this.current.id, at: this.epoch(at) });
  }

  clear(): void {
    if (this.current === null) return;
    this.current = null;
    this.port.send({ kind: 'clear' });
  }

  /**
   * Called as the play head moves. `fed`: the window has what is needed; `hungry`: wait for what is under way;
   * `reopen`: a new window must be opened here.
   */
  advance(stream: Stream | null, at: number): 'fed' | 'hungry' | 'reopen' {
    const window = this.current;
    if (stream === null || window?.state !== 'shown' || window.stream !== stream.id) return 'fed';
    window.at = Math.max(window.at, at);
    const next = stream.segments.find((segment) => segment.last_seq > window.sentSeq);
    if (next === undefined) return this.isDry(stream, window, at) ? 'hungry' : 'fed';
    if (next.first_seq <= window.sentSeq) return at >= window.takenUntil ? 'reopen' : 'fed';
    if (this.isFull(window) && next.key_frame) return at >= next.from_ms ? 'reopen' : this.fetchAhead(stream, next);
    if (next.from_ms - at < APPEND_AHEAD_MS) void this.append(stream, window, next);
    this.fetchAhead(stream, next);
    return this.isDry(stream, window, at) ? 'hungry' : 'fed';
  }

  /** Up to when the stage has told what the person did. */
  knownUntil(stream: Stream): number {
    const window = this.current;
    if (window?.stream !== stream.id) return -Infinity;
    const last = stream.segments.at(-1);
    return last !== undefined && window.takenSeq >= last.last_seq ? this.manifest().duration_ms : window.takenUntil;
  }

  /** The next segment has begun, but is not in the window yet. */
  private isDry(stream: Stream, window: OpenWindow, at: number): boolean {
    const next = stream.segments.find((segment) => segment.last_seq > window.takenSeq);
    return next !== undefined && at >= Math.max(window.takenUntil, next.from_ms);
  }

  private isFull(window: OpenWindow): boolean {
    return window.bytes > WINDOW_BYTES;
  }

  private fetchAhead(stream: Stream, from: Segment): 'fed' {
    let bytes = 0;
    for (let index = stream.segments.indexOf(from); index < stream.segments.length; index += 1) {
      const segment = stream.segments[index];
      if (segment === undefined || segment.from_ms > from.from_ms + FETCH_AHEAD_MS || bytes > FETCH_AHEAD_BYTES) break;
      bytes += segment.raw_bytes;
      this.loader.load(segment).catch(ignore);
    }
    return 'fed';
  }

  private async append(stream: Stream, window: OpenWindow, segment: Segment): Promise<void> {
    if (this.appending) return;
    this.appending = true;
    try {
      const loaded = await this.loader.load(segment);
      if (this.current !== window || window.sentSeq >= segment.first_seq) return;
      if (loaded.cut !== null) this.cut(loaded.cut);
      window.sentSeq = segment.last_seq;
      window.bytes += loaded.bytes.byteLength;
      window.sent.set(segment.id, segment);
      this.port.send({
        kind: 'append',
        window: window.id,
        segment: segment.id,
        chunk: loaded.bytes,
        gaps: this.spans(stream.gaps),
      });
    } catch (error) {
      if (this.current === window) this.failed(error);
    } finally {
      this.appending = false;
    }
  }

  private replace(stream: Stream, key: Segment, segments: readonly Segment[], at: number): OpenWindow {
    this.counter += 1;
    const last = segments.at(-1) ?? key;
    this.current = {
      id: this.counter,
      stream: stream.id,
      firstSeq: key.first_seq,
      keyFrom: key.from_ms,
      sentSeq: last.last_seq,
      takenSeq: last.last_seq,
      takenUntil: last.to_ms,
      at,
      bytes: segments.reduce((sum, segment) => sum + segment.raw_bytes, 0),
      state: 'loading',
      sent: new Map(),
    };
    return this.current;
  }

  private epoch(at: number): number {
    return this.manifest().started_at + at;
  }

  private spans(gaps: readonly Gap[]): Span[] {
    return gaps.map((gap) => [this.epoch(gap.from_ms), this.epoch(gap.to_ms)] as const);
  }
}

function ignore(): void {
  // Told when the segment is needed.
}
