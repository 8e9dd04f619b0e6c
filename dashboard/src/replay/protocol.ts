/**
 * What the Replay page and the stage say to each other, by `postMessage` between two documents of one origin.
 *
 * Every `at`, `until` and time in a list is milliseconds of the Unix epoch on the server's clock. A chunk is NDJSON
 * bytes as the server sent them; the stage decodes, checks and plays them, and fetches nothing itself.
 */

export interface Size {
  width: number;
  height: number;
}

/** A span without recording: `[from, to]`. After it the page may have changed, so a later key frame must be applied. */
export type Span = readonly [from: number, to: number];

export type ToStage =
  | { kind: 'configure'; imageHosts: readonly string[] }
  | {
      kind: 'open';
      window: number;
      /** The moment to show. Events up to and including it are applied before the window is revealed. */
      at: number;
      /** Undefined: stay paused at `at`. */
      speed?: number;
      /** Added to every recorded timestamp: the stream's clock offset. */
      clockOffset: number;
      chunks: ArrayBuffer[];
      gaps: readonly Span[];
    }
  | { kind: 'append'; window: number; segment: string; chunk: ArrayBuffer; gaps: readonly Span[] }
  | { kind: 'play'; window: number; at: number; speed: number }
  | { kind: 'pause'; window: number; at: number }
  | { kind: 'clear' };

export type FromStage =
  | { kind: 'ready' }
  /** The window is on screen at `at`; `first` is the key frame it started from. */
  | { kind: 'opened'; window: number; at: number; first: number; size: Size; url: string | null; cost: OpenCost }
  /** Everything of this chunk is in the window. `segment` is null for the chunks that came with `open`. */
  | { kind: 'appended'; window: number; segment: string | null; activity: number[] }
  | { kind: 'position'; window: number; at: number }
  | { kind: 'size'; window: number; size: Size }
  | { kind: 'page'; window: number; url: string }
  | { kind: 'click'; window: number; at: number }
  | { kind: 'failed'; window: number; reason: string };

/** Where the time to a first frame went, in milliseconds. */
export interface OpenCost {
  parse_ms: number;
  build_ms: number;
  total_ms: number;
  events: number;
}

/** User activity is reported in steps of this many milliseconds. */
export const ACTIVITY_STEP_MS = 1000;
