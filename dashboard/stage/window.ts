/**
 * One Replayer over one window of one stream: it starts at a key frame, only ever gets later events, and never reaches
 * its last one, because rrweb then forgets where it was. Time is kept by the page; here it is only followed.
 */
import { Replayer } from '@rrweb/replay';
import type { eventWithTime } from '@rrweb/types';
import type { Size } from '../src/replay/protocol';
import { EventType, type Fields, isNumber, type RecordedEvent, Source } from './recorded';
import { dropReplaced } from './replaced';

/** Far enough behind the last event that no session reaches it. */
const SENTINEL_AFTER_MS = 1e11;

/** rrweb counts an event as past when it is older than the moment; this makes "at the moment" past, too. */
const INCLUSIVE_MS = 0.999;

export interface WindowWatcher {
  resized(size: Size): void;
  navigated(url: string): void;
  clicked(at: number): void;
}

/** Style sheets that rrweb has already rewritten, shared by all windows: a seek builds the same page again. */
export type AdaptedStyles = Map<string, string>;

export class ReplayWindow {
  readonly root: HTMLElement;
  readonly first: number;
  size: Size = { width: 1280, height: 720 };
  url: string | null = null;
  private readonly replayer: Replayer;
  private frame: number | null = null;
  private lastAt: number;

  /**
   * @param events whole events in order of time, the first ones a key frame; those up to `at` are applied at once
   */
  constructor(
    stage: HTMLElement,
    events: RecordedEvent[],
    at: number,
    styles: AdaptedStyles,
    private readonly watcher: WindowWatcher,
  ) {
    this.root = document.createElement('div');
    this.root.className = 'window';
    stage.append(this.root);
    this.first = events[0]?.timestamp ?? at;
    // A key frame is told as two events; the page itself is in the second one, some time after the first.
    const page = events.find((event) => event.type === EventType.FullSnapshot);
    this.lastAt = Math.max(at, this.first, page?.timestamp ?? at);
    const past = dropReplaced(events.filter((event) => event.timestamp <= this.lastAt));
    const future = events.filter((event) => event.timestamp > this.lastAt);
    this.readState(past);
    this.replayer = this.createReplayer([...past, ...future, sentinel(this.first)], styles);
    this.replayer.pause(this.offset(this.lastAt));
  }

  /** Shows the window: whole with the next frame, which lays it out and paints it. */
  reveal(): void {
    this.applySize();
    this.root.classList.add('shown');
  }

  /** Takes the window off the screen without the cost of taking it apart. */
  hide(): void {
    this.stopFrames();
    this.root.classList.remove('shown');
  }

  /** Adds an event that is not older than those before it. */
  add(event: RecordedEvent): void {
    this.replayer.addEvent(event as unknown as eventWithTime);
  }

  play(at: number, speed: number, onFrame: (at: number) => void): void {
    this.stopFrames();
    this.replayer.setConfig({ speed });
    this.lastAt = Math.max(at, this.lastAt);
    this.replayer.play(this.offset(this.lastAt));
    const follow = (): void => {
      this.lastAt = this.first + this.replayer.getCurrentTime();
      onFrame(this.lastAt);
      this.frame = requestAnimationFrame(follow);
    };
    this.frame = requestAnimationFrame(follow);
  }

  /** Stops at `at`; when that is later than what is shown, goes there at once. */
  pause(at: number): void {
    this.stopFrames();
    this.lastAt = Math.max(at, this.lastAt);
    this.replayer.pause(this.offset(this.lastAt));
  }

  destroy(): void {
    this.stopFrames();
    this.replayer.destroy();
    this.root.remove();
  }

  private offset(at: number): number {
    return at - this.first + INCLUSIVE_MS;
  }

  private createReplayer(events: RecordedEvent[], styles: AdaptedStyles): Replayer {
    const replayer = new Replayer(events as unknown as eventWithTime[], {
      root: this.root,
      mouseTail: false,
      triggerFocus: false,
      showWarning: false,
      showDebug: false,
      skipInactive: false,
      UNSAFE_replayCanvas: false,
      // Building a second copy of a large page costs more than the changes between two key frames.
      useVirtualDom: false,
      logger: silentLogger,
    });
    shareStyles(replayer, styles);
    replayer.iframe.setAttribute('inert', '');
    replayer.iframe.setAttribute('tabindex', '-1');
    replayer.iframe.title = 'Recorded page';
    replayer.on('resize', (size) => this.takeSize(size as Size));
    replayer.on('event-cast', (event) => this.takeCast(event as unknown as RecordedEvent));
    return replayer;
  }

  /** The size, address and colours at the moment: the last ones among the events that are already past. */
  private readState(past: readonly RecordedEvent[]): void {
    for (const { type, data } of past) {
      if (type === EventType.Meta) this.readMeta(data);
      const sized =
        type === EventType.Meta || (type === EventType.Incremental && data.source === Source.ViewportResize);
      if (sized && isNumber(data.width) && isNumber(data.height))
        this.size = { width: data.width, height: data.height };
    }
    // The Replayer sets the size of the first of these once more, by a timer, when the window is on screen already.
    for (const { type, data } of past) if (type === EventType.Meta) Object.assign(data, this.size);
  }

  private readMeta(data: Fields): void {
    if (typeof data.href === 'string') this.url = data.href;
    // The page's media queries see what its user had asked for, not what whoever watches did.
    this.root.style.colorScheme = data.color_scheme === 'dark' ? 'dark' : 'light';
  }

  private takeSize(size: Size): void {
    if (!this.root.classList.contains('shown')) return;
    this.size = { width: size.width, height: size.height };
    this.applySize();
    this.watcher.resized(this.size);
  }

  private takeCast(event: RecordedEvent): void {
    if (event.type === EventType.Meta) {
      this.readMeta(event.data);
      if (this.url !== null) this.watcher.navigated(this.url);
    }
    const clicked =
      event.type === EventType.Incremental && event.data.source === Source.MouseInteraction && event.data.type === 2;
    if (clicked) this.watcher.clicked(event.timestamp);
  }

  private applySize(): void {
    this.replayer.iframe.setAttribute('width', String(this.size.width));
    this.replayer.iframe.setAttribute('height', String(this.size.height));
    this.root.style.width = `${String(this.size.width)}px`;
    this.root.style.height = `${String(this.size.height)}px`;
  }

  private stopFrames(): void {
    if (this.frame !== null) cancelAnimationFrame(this.frame);
    this.frame = null;
  }
}

function sentinel(first: number): RecordedEvent {
  return { type: EventType.DomContentLoaded, timestamp: first + SENTINEL_AFTER_MS, data: {} };
}

/** rrweb keeps rewritten style sheets per Replayer; rewriting them is most of the cost of a first frame. */
function shareStyles(replayer: Replayer, styles: AdaptedStyles): void {
  const holder = replayer as unknown as { cache?: { stylesWithHoverClass?: AdaptedStyles } };
  if (holder.cache?.stylesWithHoverClass instanceof Map) holder.cache.stylesWithHoverClass = styles;
}

/** What a recording makes rrweb complain about is the recording's, not ours. */
const silentLogger = { log: ignore, warn: ignore };

function ignore(): void {
  // Deliberately nothing.
}
