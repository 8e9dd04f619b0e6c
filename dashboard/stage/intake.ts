/**
 * From bytes to playable events of one window: decoded, read, checked and ordered in slices short enough that the page
 * never freezes.
 */
import { ACTIVITY_STEP_MS, type Span } from '../src/replay/protocol';
import { findKeyFrame, type Line, parseLine, readLines } from './lines';
import { sortByTime, splitPointerMoves } from './order';
import { EventType, isActivity, type RecordedEvent } from './recorded';
import type { EventSanitizer } from './sanitize/events';
import { nextTask } from './tasks';

const SLICE_MS = 8;

export class Intake {
  /** Time of the newest event that was let through. */
  private newest = Number.NEGATIVE_INFINITY;
  private gaps: Span[] = [];
  private hasKeyFrame = false;

  constructor(
    private readonly sanitizer: EventSanitizer,
    private readonly clockOffset: number,
  ) {}

  addGaps(gaps: readonly Span[]): void {
    this.gaps = [...this.gaps, ...gaps].slice(-1000);
  }

  /** Splits what came with `open` into what the first frame needs and what may follow later. */
  splitAt(chunks: readonly ArrayBuffer[], at: number): { start: Line[]; rest: Line[] } | null {
    const lines = chunks.flatMap((chunk) => [...readLines(chunk)]);
    const recordedAt = at - this.clockOffset;
    const key = findKeyFrame(lines, recordedAt);
    if (key === null) return null;
    const firstFrame = lines.findIndex((line, index) => index >= key && line.type === EventType.FullSnapshot);
    let end = firstFrame + 1;
    while (end < lines.length && (lines[end]?.timestamp ?? 0) <= recordedAt) end += 1;
    return { start: lines.slice(key, end), rest: lines.slice(end) };
  }

  /** All of `lines` as events, in order, at once. */
  take(lines: readonly Line[]): RecordedEvent[] {
    return sortByTime(lines.flatMap((line) => this.takeLine(line)));
  }

  /** The same in slices: `emit` gets events in order; resolves when all have been taken or `cancelled` says so. */
  async takeSliced(
    lines: Iterable<Line>,
    emit: (event: RecordedEvent) => void,
    cancelled: () => boolean,
  ): Promise<void> {
    let sliceEnd = performance.now() + SLICE_MS;
    for (const line of lines) {
      for (const event of this.takeLine(line)) emit(event);
      if (performance.now() < sliceEnd) continue;
      await nextTask();
      if (cancelled()) return;
      sliceEnd = performance.now() + SLICE_MS;
    }
  }

  private takeLine(line: Line): RecordedEvent[] {
    const isKeyFrame = line.type === EventType.Meta || line.type === EventType.FullSnapshot;
    const at = line.timestamp + this.clockOffset;
    if (isKeyFrame && this.hasKeyFrame && !this.brokenBefore(at)) return [];
    const event = this.sanitizer.sanitize(parseLine(line.text));
    if (event === null) return [];
    event.timestamp += this.clockOffset;
    this.newest = Math.max(this.newest, event.timestamp);
    if (event.type === EventType.FullSnapshot) this.hasKeyFrame = true;
    return splitPointerMoves(event);
  }

  /** Whether something is missing between the newest event and `at`: only then does a further key frame tell news. */
  private brokenBefore(at: number): boolean {
    return this.gaps.some(([from, to]) => from < at && to > this.newest - 1);
  }
}

/** Times at which a person was active, in steps of {@link ACTIVITY_STEP_MS}. */
export class ActivitySteps {
  private readonly steps = new Set<number>();

  add(event: RecordedEvent): void {
    if (isActivity(event)) this.steps.add(Math.floor(event.timestamp / ACTIVITY_STEP_MS) * ACTIVITY_STEP_MS);
  }

  list(): number[] {
    return [...this.steps].sort((one, other) => one - other);
  }
}
