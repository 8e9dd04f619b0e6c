/**
 * Plays a session: keeps the time, chooses the tab, fetches what is needed ahead, and tells the stage what to show.
 * Knows nothing of React and of the DOM, so that all of it can be tried with a made-up stage, loader and clock.
 */
import type { FromStage, OpenCost, Size } from '../protocol';
import { Clock } from './clock';
import { type Attention, followFocus, type Focus, focusAt } from './focus';
import { Activity } from './inactivity';
import { type Gap, gapAt, type Manifest, playable, type Stream } from './manifest';
import type { StagePort } from './port';
import { SegmentGone, type SegmentLoader } from './segments';
import { Feed } from './feed';

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

export interface PlayerState {
  playing: boolean;
  /** The part at the play head is being fetched or built. */
  waiting: boolean;
  ended: boolean;
  speed: number;
  skipsInactivity: boolean;
  /** The stream that the viewer chose, or null while the focused tab is followed. */
  chosen: string | null;
  /** The stream at the play head. */
  stream: string | null;
  /** The gap that the play head is in. */
  gap: Gap | null;
  /** Before the first or after the last thing recorded of this stream. */
  outside: 'before' | 'after' | null;
  size: Size | null;
  url: string | null;
  /** Where a skip is going to, while the viewer should be told. */
  skippedTo: number | null;
  failure: string | null;
  /** Why the server had to leave out the rest of a part that is in the window. */
  cut: string | null;
}

export interface EngineOptions {
  port: StagePort;
  loader: SegmentLoader;
  now?: () => number;
  frame?: (callback: () => void) => () => void;
  /** The manifest no longer fits what the server has. */
  onStale?: () => void;
  /** The moment that was sought is on the stage; `cost` when a window was built for it. */
  onShown?: (cost: OpenCost | null) => void;
}

/** A gap is shown this long in real time, then skipped. */
const GAP_NOTICE_MS = 1800;
const SKIP_NOTICE_MS = 1600;
/** A live session is played this far behind the newest event that is known. */
const LIVE_DELAY_MS = 500;
const PAGE_EDGE_MS = 1000;

const animationFrame = (callback: () => void): (() => void) => {
  const id = requestAnimationFrame(callback);
  return () => cancelAnimationFrame(id);
};

export class PlayerEngine {
  state: PlayerState = {
    playing: false,
    waiting: false,
    ended: false,
    speed: 1,
    skipsInactivity: true,
    chosen: null,
    stream: null,
    gap: null,
    outside: null,
    size: null,
    url: null,
    skippedTo: null,
    failure: null,
    cut: null,
  };
  private readonly clock: Clock;
  private readonly now: () => number;
  private readonly frame: (callback: () => void) => () => void;
  private readonly feed: Feed;
  private readonly activity = new Activity();
  private readonly listeners = new Set<() => void>();
  private readonly timeListeners = new Set<(at: number) => void>();
  private attention: readonly Attention[] = [];
  private focus: Focus[] = [];
  private cancelFrame: (() => void) | null = null;
  private stopListening: () => void;
  private isSeeking = false;
  private gapSince: number | null = null;
  private skippedSince = 0;
  private lastTold = Number.NaN;

  constructor(
    private manifest: Manifest,
    private readonly options: EngineOptions,
  ) {
    this.now = options.now ?? (() => performance.now());
    this.frame = options.frame ?? animationFrame;
    this.clock = new Clock(this.now);
    this.feed = new Feed(
      options.port,
      options.loader,
      () => this.manifest,
      (error) => this.fail(error),
      (cut) => this.set({ cut }),
    );
    this.stopListening = options.port.listen((message) => this.receive(message));
    options.port.send({ kind: 'configure', imageHosts: manifest.image_hosts });
    this.focus = followFocus(manifest.streams, []);
  }

  get time(): number {
    return Math.min(Math.max(0, this.clock.time), this.duration);
  }

  get duration(): number {
    return this.manifest.duration_ms;
  }

  get isLive(): boolean {
    return this.manifest.state === 'live';
  }

  get liveEdge(): number {
    return Math.max(0, this.duration - LIVE_DELAY_MS);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  onTime(listener: (at: number) => void): () => void {
    this.timeListeners.add(listener);
    return () => this.timeListeners.delete(listener);
  }

  destroy(): void {
    this.cancelFrame?.();
    this.stopListening();
    this.options.port.send({ kind: 'clear' });
    this.options.loader.close();
  }

  /** A newer manifest of the same session: more segments, or the same ones compacted. */
  update(manifest: Manifest): void {
    this.manifest = manifest;
    this.focus = followFocus(manifest.streams, this.attention);
    this.proceed();
    if (this.state.ended && this.isLive && this.time < this.liveEdge - PAGE_EDGE_MS) this.set({ ended: false });
    this.schedule();
  }

  /** What the signals tell about where the person was and when they did something. */
  attend(attention: readonly Attention[], active: Iterable<number>): void {
    this.attention = attention;
    this.focus = followFocus(this.manifest.streams, attention);
    this.activity.add(active);
    if (this.state.stream !== this.streamAt(this.time)?.id) this.show(this.time);
  }

  seek(at: number): void {
    const target = Math.min(Math.max(0, at), this.duration);
    this.clock.set(target);
    this.isSeeking = true;
    this.gapSince = null;
    this.set({ ended: false, failure: null, skippedTo: null });
    this.show(target);
    this.tellTime();
  }

  /** The viewer points at `at` and may go there next. */
  prefetch(at: number): void {
    const stream = this.streamAt(at);
    if (stream !== null && !this.feed.holds(stream, at)) this.feed.prefetch(stream, at);
  }

  play(): void {
    if (this.state.playing) return;
    if (this.time >= this.duration - 1 && !this.isLive) this.seek(0);
    this.set({ playing: true, ended: false });
    this.show(this.time);
  }

  pause(): void {
    if (!this.state.playing) return;
    this.clock.stop();
    this.set({ playing: false, waiting: this.feed.opening });
    this.feed.pause(this.time);
    this.tellTime();
  }

  toggle(): void {
    if (this.state.playing) this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    this.set({ speed });
    if (this.clock.running) this.resume();
  }

  setSkipsInactivity(skipsInactivity: boolean): void {
    this.set({ skipsInactivity });
  }

  /** Stays on one stream, or follows the focused tab again with null. */
  choose(stream: string | null): void {
    this.set({ chosen: stream });
    this.show(this.time);
  }

  streamAt(at: number): Stream | null {
    const id = this.state.chosen ?? focusAt(this.focus, at);
    return this.manifest.streams.find((stream) => stream.id === id) ?? null;
  }

  /** Makes the stage show `at`: in its window when that is ahead in it, else in a new one. */
  private show(at: number): void {
    const stream = this.streamAt(at);
    this.set({
      stream: stream?.id ?? null,
      gap: stream === null ? null : gapAt(stream, at),
      outside: sideOf(stream, at),
    });
    if (stream === null || playable(stream) === null) {
      this.feed.clear();
      this.set({ waiting: false, size: stream?.viewport ?? null });
      this.resume();
      return;
    }
    if (this.feed.holds(stream, at)) {
      this.set({ waiting: false });
      if (this.state.playing) this.resume();
      else this.feed.pause(at);
      return;
    }
    this.clock.stop();
    this.set({ waiting: true, cut: null });
    void this.feed.open(stream, at);
  }

  /** Goes on where something was waited for, once it is there. */
  private proceed(): void {
    if (!this.state.waiting || this.feed.opening) return;
    const at = this.time;
    const stream = this.streamAt(at);
    if (stream === null || stream.id !== this.state.stream || !this.feed.shows(stream, at)) return this.show(at);
    const next = this.feed.advance(stream, at);
    if (next === 'reopen') void this.feed.open(stream, at);
    if (next !== 'fed' || (this.isLive && at >= this.liveEdge)) return;
    this.set({ waiting: false });
    this.resume();
  }

  /** Lets time run on, and the stage with it where it has something to play. */
  private resume(): void {
    if (!this.state.playing || this.state.waiting) return;
    this.clock.run(this.state.speed);
    if (this.state.outside === null && this.state.gap === null) this.feed.play(this.time, this.state.speed);
    else this.feed.pause(this.time);
    this.schedule();
  }

  private schedule(): void {
    if (this.cancelFrame !== null || !this.state.playing) return;
    this.cancelFrame = this.frame(() => {
      this.cancelFrame = null;
      this.tick();
      this.schedule();
    });
  }

  private tick(): void {
    const at = this.time;
    this.tellTime();
    if (!this.state.playing || this.state.waiting) return;
    if (this.state.skippedTo !== null && this.now() - this.skippedSince > SKIP_NOTICE_MS) this.set({ skippedTo: null });
    if (at >= (this.isLive ? this.liveEdge : this.duration)) return this.reachEnd();
    const stream = this.streamAt(at);
    if ((stream?.id ?? null) !== this.state.stream) return this.show(at);
    if (stream === null || this.passGap(stream, at) || this.passEdges(stream, at)) return;
    if (this.skipInactivity(stream, at)) return;
    this.keepFed(stream, at);
  }

  private reachEnd(): void {
    if (this.isLive) {
      this.clock.stop();
      this.clock.set(this.time);
      this.feed.pause(this.time);
      this.set({ waiting: true });
      return;
    }
    this.pause();
    this.clock.set(this.duration);
    this.set({ ended: true, waiting: false });
    this.tellTime();
  }

  /** Whether the play head is in a gap, which is told for a moment and then skipped. */
  private passGap(stream: Stream, at: number): boolean {
    const gap = gapAt(stream, at);
    if (gap === null) {
      this.gapSince = null;
      if (this.state.gap !== null) this.show(at);
      return false;
    }
    if (this.state.gap === null) {
      this.set({ gap });
      this.feed.pause(at);
    }
    this.gapSince ??= this.now();
    if (this.now() - this.gapSince >= GAP_NOTICE_MS) {
      this.gapSince = null;
      this.clock.set(gap.to_ms);
      this.show(gap.to_ms);
    }
    return true;
  }

  /** Whether the play head is where this stream has nothing: time runs, the stage holds still. */
  private passEdges(stream: Stream, at: number): boolean {
    const outside = sideOf(stream, at);
    if (outside !== this.state.outside) {
      this.set({ outside });
      if (outside === null) this.show(at);
      else this.feed.pause(at);
    }
    if (outside !== null && this.state.skipsInactivity) this.skipOutside(stream, at, outside);
    return outside !== null;
  }

  private skipOutside(stream: Stream, at: number, outside: 'before' | 'after'): void {
    if (outside === 'before') this.skip(at, this.activity.skipFrom(at, playable(stream)?.from ?? at));
    else this.skip(at, this.activity.skipFrom(at, Math.min(this.duration, nextFocus(this.focus, at))));
  }

  private skipInactivity(stream: Stream, at: number): boolean {
    if (!this.state.skipsInactivity) return false;
    const horizon = Math.min(this.feed.knownUntil(stream), nextFocus(this.focus, at), nextGap(stream, at));
    return this.skip(at, this.activity.skipFrom(at, horizon));
  }

  private skip(at: number, target: number | null): boolean {
    if (target === null || target <= at) return false;
    this.clock.set(target);
    this.skippedSince = this.now();
    this.set({ skippedTo: target });
    this.show(target);
    return true;
  }

  private keepFed(stream: Stream, at: number): void {
    const state = this.feed.advance(stream, at);
    if (state === 'fed') return;
    this.clock.stop();
    this.feed.pause(at);
    this.set({ waiting: true });
    if (state === 'reopen') void this.feed.open(stream, at);
  }

  private receive(message: FromStage): void {
    if (message.kind === 'ready' || message.window !== this.feed.window) return;
    switch (message.kind) {
      case 'opened':
        return this.opened(message);
      case 'appended':
        return this.appended(message);
      case 'position':
        this.tellShown(null);
        if (this.clock.running && !this.state.waiting) this.clock.set(message.at - this.manifest.started_at);
        return;
      case 'size':
        return this.set({ size: message.size });
      case 'page':
        return this.set({ url: message.url });
      case 'failed':
        return this.fail(new Error(message.reason));
      case 'click':
    }
  }

  private opened(message: Extract<FromStage, { kind: 'opened' }>): void {
    this.feed.opened();
    this.tellShown(message.cost);
    this.set({ waiting: false, size: message.size, url: message.url, failure: null });
    if (this.state.playing) this.show(this.time);
    else this.feed.advance(this.streamAt(this.time) ?? null, this.time);
  }

  private appended(message: Extract<FromStage, { kind: 'appended' }>): void {
    this.activity.add(message.activity.map((time) => time - this.manifest.started_at));
    this.feed.appended(message.segment);
    this.proceed();
  }

  private tellShown(cost: OpenCost | null): void {
    if (!this.isSeeking || (cost === null && this.feed.opening)) return;
    this.isSeeking = false;
    this.options.onShown?.(cost);
  }

  private fail(error: unknown): void {
    if (error instanceof SegmentGone) this.options.onStale?.();
    this.clock.stop();
    this.set({ playing: false, waiting: false, failure: error instanceof Error ? error.message : String(error) });
  }

  private set(change: Partial<PlayerState>): void {
    const keys = Object.keys(change) as (keyof PlayerState)[];
    if (keys.every((key) => sameValue(this.state[key], change[key]))) return;
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  private tellTime(): void {
    const at = this.time;
    if (at === this.lastTold) return;
    this.lastTold = at;
    for (const listener of this.timeListeners) listener(at);
  }
}

function sameValue(one: unknown, other: unknown): boolean {
  return Object.is(one, other) || (typeof one === 'object' && JSON.stringify(one) === JSON.stringify(other));
}

/** Which side of its recording a moment of a stream is on; the pauses at its edges count as inside. */
function sideOf(stream: Stream | null, at: number): 'before' | 'after' | null {
  const span = stream === null ? null : playable(stream);
  if (span === null) return null;
  if (at < span.from - PAGE_EDGE_MS) return 'before';
  return at > span.to + PAGE_EDGE_MS ? 'after' : null;
}

function nextFocus(focus: readonly Focus[], at: number): number {
  return focus.find((each) => each.from_ms > at)?.from_ms ?? Infinity;
}

function nextGap(stream: Stream, at: number): number {
  return stream.gaps.find((gap) => gap.from_ms > at)?.from_ms ?? Infinity;
}
