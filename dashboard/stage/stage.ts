/** Opens windows off-screen, swaps them in, feeds them, and does what the page says. */
import type { FromStage, OpenCost, Size, ToStage } from '../src/replay/protocol';
import { ActivitySteps, Intake } from './intake';
import { type Line, readLines } from './lines';
import type { RecordedEvent } from './recorded';
import { EventSanitizer } from './sanitize/events';
import { afterPaint, nextTask, whenIdle } from './tasks';
import { type AdaptedStyles, ReplayWindow } from './window';

/** Style sheets are kept rewritten between windows, up to this many characters of source. */
const MAX_STYLE_CHARACTERS = 32 * 1024 * 1024;

type Open = Extract<ToStage, { kind: 'open' }>;

interface Shown {
  id: number;
  replay: ReplayWindow;
  intake: Intake;
  /** Chunks are taken one after the other. */
  feeding: Promise<void>;
}

export class Stage {
  private imageHosts: readonly string[] = [];
  private shown: Shown | null = null;
  /** The window asked for last; whatever belongs to an older one is out of date. */
  private wanted = 0;
  private styles: AdaptedStyles = new Map();

  constructor(
    private readonly root: HTMLElement,
    private readonly send: (message: FromStage) => void,
  ) {
    new ResizeObserver(() => this.fit()).observe(root);
  }

  receive(message: ToStage): void {
    switch (message.kind) {
      case 'configure':
        this.imageHosts = message.imageHosts;
        return;
      case 'open':
        void this.open(message);
        return;
      case 'append':
        this.append(message);
        return;
      case 'play':
        this.playing(message.window, message.at, message.speed);
        return;
      case 'pause':
        this.pause(message.window, message.at);
        return;
      case 'clear':
        this.clear();
    }
  }

  private async open(message: Open): Promise<void> {
    this.wanted = message.window;
    const started = performance.now();
    // Where the play head is dragged, many are asked for in a row: only the last of those that wait is built.
    await nextTask();
    if (this.wanted !== message.window) return;
    try {
      const intake = new Intake(new EventSanitizer(this.imageHosts), message.clockOffset);
      intake.addGaps(message.gaps);
      const split = intake.splitAt(message.chunks, message.at);
      if (split === null) return this.fail(message.window, 'this part of the recording has no key frame to start from');
      const events = intake.take(split.start);
      const parsed = performance.now();
      const replay = this.build(message, events);
      this.swap({ id: message.window, replay, intake, feeding: afterPaint() });
      const built = performance.now();
      const cost = {
        parse_ms: parsed - started,
        build_ms: built - parsed,
        total_ms: built - started,
        events: events.length,
      };
      this.tellOpened(message, replay, cost);
      const activity = new ActivitySteps();
      for (const event of events) activity.add(event);
      this.feed(message.window, null, () => split.rest, activity);
    } catch (error) {
      this.fail(message.window, describe(error));
    }
  }

  private tellOpened({ window, at: wanted, speed }: Open, replay: ReplayWindow, cost: OpenCost): void {
    const { first, size, url } = replay;
    const at = Math.max(wanted, first);
    this.send({ kind: 'opened', window, at, first, size, url, cost });
    if (speed !== undefined) this.playing(window, at, speed);
  }

  private build(message: Open, events: RecordedEvent[]): ReplayWindow {
    this.boundStyles();
    const current = (): boolean => this.shown?.id === message.window;
    return new ReplayWindow(this.root, events, message.at, this.styles, {
      resized: (size: Size) => {
        if (!current()) return;
        this.fit();
        this.send({ kind: 'size', window: message.window, size });
      },
      navigated: (url) => current() && this.send({ kind: 'page', window: message.window, url }),
      clicked: (at) => current() && this.send({ kind: 'click', window: message.window, at }),
    });
  }

  private swap(next: Shown): void {
    const previous = this.shown;
    this.shown = next;
    next.replay.reveal();
    this.fit();
    if (previous === null) return;
    previous.replay.hide();
    whenIdle(() => previous.replay.destroy());
  }

  private append(message: Extract<ToStage, { kind: 'append' }>): void {
    if (this.shown?.id !== message.window) return;
    this.shown.intake.addGaps(message.gaps);
    this.feed(message.window, message.segment, () => readLines(message.chunk), new ActivitySteps());
  }

  private feed(window: number, segment: string | null, lines: () => Iterable<Line>, activity: ActivitySteps): void {
    const shown = this.shown;
    if (shown?.id !== window) return;
    const cancelled = (): boolean => this.shown !== shown;
    shown.feeding = shown.feeding
      .then(async () => {
        if (cancelled()) return;
        await shown.intake.takeSliced(
          lines(),
          (event) => {
            activity.add(event);
            shown.replay.add(event);
          },
          cancelled,
        );
        if (!cancelled()) this.send({ kind: 'appended', window, segment, activity: activity.list() });
      })
      .catch((error: unknown) => this.fail(window, describe(error)));
  }

  private playing(window: number, at: number, speed: number): void {
    if (this.shown?.id !== window) return;
    this.shown.replay.play(at, speed, (position) => this.send({ kind: 'position', window, at: position }));
  }

  private pause(window: number, at: number): void {
    if (this.shown?.id !== window) return;
    this.shown.replay.pause(at);
    this.send({ kind: 'position', window, at });
  }

  private clear(): void {
    this.wanted = 0;
    this.shown?.replay.destroy();
    this.shown = null;
  }

  private fail(window: number, reason: string): void {
    this.send({ kind: 'failed', window, reason });
  }

  /** The page gives the stage a box of the recorded page's shape; this scales to it. */
  private fit(): void {
    const shown = this.shown;
    if (shown === null) return;
    const { width, height } = shown.replay.size;
    const scale = Math.min(this.root.clientWidth / width, this.root.clientHeight / height) || 1;
    shown.replay.root.style.transform = `scale(${String(scale)})`;
    shown.replay.root.style.setProperty('--cursor-scale', String(Math.min(6, 1 / scale)));
  }

  private boundStyles(): void {
    let characters = 0;
    for (const source of this.styles.keys()) characters += source.length;
    if (characters > MAX_STYLE_CHARACTERS) this.styles = new Map();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
