/** Frames that the server read out of a stack. */
import { number, text } from '../moments';
import { asRecord } from './timing';

export interface Frame {
  name: string;
  /** `checkout.js:88:23`; null when the place is not known. */
  place: string | null;
  /** The whole address with its position. */
  address: string | null;
  /** The page's own code. */
  inApp: boolean;
  isAsync: boolean;
  /** `eval`, `native`, `wasm`, `extension`; null for an ordinary script. */
  kind: string | null;
}

const MOST_FRAMES = 200;

export function readFrames(value: unknown): Frame[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_FRAMES).map((item) => readFrame(asRecord(item)));
}

function readFrame(frame: Record<string, unknown>): Frame {
  const file = text(frame['file']);
  const line = number(frame['line']);
  const column = number(frame['column']);
  const position = [line, column].filter((part) => part !== null && part > 0).join(':');
  const suffix = position === '' ? '' : `:${position}`;
  const kind = text(frame['kind']);
  return {
    name: text(frame['function']) ?? '(anonymous)',
    place: file === null ? null : `${fileName(file)}${suffix}`,
    address: file === null ? null : `${file}${suffix}`,
    inApp: frame['in_app'] === true,
    isAsync: frame['async'] === true || frame['is_async'] === true,
    kind: kind === 'script' ? null : kind,
  };
}

function fileName(url: string): string {
  const path = url.replace(/[?#].*$/, '');
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

/** The frames as text, to copy. */
export const framesAsText = (frames: readonly Frame[]): string =>
  frames.map(({ name, address }) => `    at ${name}${address === null ? '' : ` (${address})`}`).join('\n');
