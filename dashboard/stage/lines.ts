/**
 * Reads NDJSON without parsing what is not needed: rrweb writes `{"type":N,` first and `"timestamp":N}` last, so the
 * kind and time of an event can be read from the two ends of its line. A line that looks otherwise is parsed.
 */
import { EventType, isRecordedEvent } from './recorded';

export interface Line {
  text: string;
  type: number;
  timestamp: number;
}

const HEAD = /^\{"type":(\d{1,2}),/;
const TAIL = /"timestamp":(\d{1,16}(?:\.\d{1,12})?)(?:,"delay":-?\d{1,16})?\}\s*$/;
const TAIL_LENGTH = 80;

/** One line longer than this is not parsed: no batch may carry it. */
const MAX_LINE_LENGTH = 64 * 1024 * 1024;

export function* readLines(chunk: ArrayBuffer): Generator<Line> {
  const text = new TextDecoder().decode(chunk);
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    if (end - start > 2 && end - start <= MAX_LINE_LENGTH) {
      const line = readLine(text.slice(start, end));
      if (line !== null) yield line;
    }
    start = end + 1;
  }
}

function readLine(text: string): Line | null {
  const head = HEAD.exec(text);
  const tail = TAIL.exec(text.slice(-TAIL_LENGTH));
  if (head !== null && tail !== null) return { text, type: Number(head[1]), timestamp: Number(tail[1]) };
  const event = parseLine(text);
  return isRecordedEvent(event) ? { text, type: event.type, timestamp: event.timestamp } : null;
}

/** The parsed line, or null: one broken line must not end a replay. */
export function parseLine(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/**
 * Where a window that shows `at` starts: the last key frame (Meta, then FullSnapshot) not after `at`, else the first
 * one. Null when there is none.
 */
export function findKeyFrame(lines: readonly Line[], at: number): number | null {
  let found: number | null = null;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (line?.type !== EventType.FullSnapshot) continue;
    if (found !== null && line.timestamp > at) break;
    found = lines[index - 1]?.type === EventType.Meta ? index - 1 : index;
  }
  return found;
}
