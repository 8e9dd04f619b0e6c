import type { DomLine } from '../delivery/contract.js';

/** How far back an error lets one look. */
export const HELD_MS = 60_000;
const MAX_HELD_UNITS = 4 << 20;

interface Segment {
  lines: DomLine[];
  size: number;
  from: number;
}

/** The last minute of pictures, in segments that each begin with a key frame. */
export class Ring {
  private segments: Segment[] = [];

  add(line: DomLine): void {
    const segment = this.segments[this.segments.length - 1];
    if (line.key) {
      this.segments.push({ lines: [line], size: line.text.length, from: line.t });
    } else if (segment) {
      segment.lines.push(line);
      segment.size += line.text.length;
    }
    this.prune(line.t);
  }

  /** A segment has grown beyond what is kept: only a new key frame lets go of it. */
  get isFull(): boolean {
    return this.size > MAX_HELD_UNITS;
  }

  /** How long ago the newest key frame was, in milliseconds. */
  age(now: number): number {
    const newest = this.segments[this.segments.length - 1];
    return newest ? now - newest.from : 0;
  }

  take(): DomLine[] {
    const lines = this.segments.flatMap((segment) => segment.lines);
    this.segments = [];
    return lines;
  }

  private get size(): number {
    return this.segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /** A segment may go when the next one reaches back far enough, or when memory asks for it. */
  private prune(now: number): void {
    while (this.segments[1] && (this.segments[1].from <= now - HELD_MS || this.isFull)) this.segments.shift();
    const only = this.segments[0];
    // Beyond twice the bound not even the newest segment is kept: an error then has no pictures before it.
    if (only && this.segments.length === 1 && only.size > 2 * MAX_HELD_UNITS) this.segments = [];
  }
}
