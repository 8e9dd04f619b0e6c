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
  /** Where the call is in the bundle, if it is shown where it was written. */
  generated: string | null;
  source: Excerpt | null;
  missing: Missing | null;
}

/** Lines of a source around the one of the call. */
export interface Excerpt {
  firstLine: number;
  lines: readonly string[];
  line: number;
}

/** Why a frame is not shown as it was written. */
export interface Missing {
  reason: string;
  /** The server's words, if it has more to say. */
  detail: string | null;
  /** The script, without host and query. */
  script: string;
}

const MOST_FRAMES = 200;

export function readFrames(value: unknown): Frame[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_FRAMES).map((item) => readFrame(asRecord(item)));
}

function readFrame(frame: Record<string, unknown>): Frame {
  const original = asRecord(frame['original']);
  const isOriginal = text(original['file']) !== null;
  const bundle = placeOf(frame);
  const { place, address } = isOriginal ? placeOf(original) : bundle;
  const kind = text(frame['kind']);
  const told = text(frame['function']);
  const name = isOriginal && typeof original['function'] === 'string' ? text(original['function']) : told;
  return {
    name: name ?? '(anonymous)',
    place,
    address,
    inApp: frame['in_app'] === true,
    isAsync: frame['async'] === true || frame['is_async'] === true,
    kind: kind === 'script' ? null : kind,
    generated: isOriginal ? bundle.address : null,
    source: readExcerpt(original),
    missing: readMissing(frame),
  };
}

function placeOf(at: Record<string, unknown>): { place: string | null; address: string | null } {
  const file = text(at['file']);
  const position = [number(at['line']), number(at['column'])].filter((part) => part !== null && part > 0).join(':');
  const suffix = position === '' ? '' : `:${position}`;
  if (file === null) return { place: null, address: null };
  return { place: `${fileName(file)}${suffix}`, address: `${file}${suffix}` };
}

function readExcerpt(original: Record<string, unknown>): Excerpt | null {
  const source = asRecord(original['source']);
  const [firstLine, line] = [number(source['first_line']), number(original['line'])];
  const lines = Array.isArray(source['lines']) ? source['lines'].filter((part) => typeof part === 'string') : [];
  return firstLine === null || line === null || lines.length === 0 ? null : { firstLine, lines, line };
}

/** Code that nobody minified needs no map; a map that is there and does not help is told in any case. */
const NEEDS_A_MAP = new Set(['no_map', 'no_release']);
/** Further to the right than people write. */
const WIDE_COLUMN = 200;
const BUILT_FILE = /[-.][\w-]{8,}\.m?js$|\.min\.m?js$/;

function readMissing(frame: Record<string, unknown>): Missing | null {
  const reason = text(frame['missing']);
  if (reason === null) return null;
  const script = (text(frame['file']) ?? '').replace(/[?#].*$/, '').replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*\//i, '');
  const isMinified = (number(frame['column']) ?? 0) > WIDE_COLUMN || BUILT_FILE.test(script);
  if (NEEDS_A_MAP.has(reason) && !isMinified) return null;
  return { reason, detail: text(frame['missing_detail']), script };
}

function fileName(url: string): string {
  const path = url.replace(/[?#].*$/, '');
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

/** The frames as text, to copy. */
export const framesAsText = (frames: readonly Frame[]): string =>
  frames.map(({ name, address }) => `    at ${name}${address === null ? '' : ` (${address})`}`).join('\n');
