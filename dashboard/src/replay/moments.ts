/** The session's signals as things that can be listed, found, put on the time line and jumped to. */
import type { SessionEvent } from '../api/model';
import { formatDuration } from '../format/duration';
import { pathOf } from '../format/text';
import type { Tone } from '../ui';
import type { Finding } from './findings';

export interface Moment {
  id: string;
  /** Milliseconds from the session's start. */
  at: number;
  /** Milliseconds of the Unix epoch. */
  time: number;
  stream: string;
  kind: string;
  data: Record<string, unknown>;
  tone: Tone;
  /** What happened, in one or two words. */
  label: string;
  /** To what: a path, a message, a selector. */
  title: string;
  /** Of a request: what is wrong with it. */
  findings?: readonly Finding[];
}

export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The issue that an error belongs to; null when it belongs to none. */
export function issueOf(data: Record<string, unknown>): string | null {
  const issue = text(data['issue']);
  return issue !== null && /^[0-9a-f]{32}$/.test(issue) ? issue : null;
}

export function toMoment(event: SessionEvent): Moment {
  const { id, at_ms: at, time, stream, kind, data } = event;
  return { id, at, time, stream, kind, data, ...describe(kind, data) };
}

type Description = Pick<Moment, 'tone' | 'label' | 'title'>;

const target = (data: Record<string, unknown>): string =>
  text(data['text']) ?? text(data['label']) ?? text(data['selector']) ?? '';

const DESCRIPTIONS: Record<string, (data: Record<string, unknown>) => Description> = {
  page: (data) => ({ tone: 'info', label: 'Page', title: text(data['url']) ?? '' }),
  navigation: (data) => ({ tone: 'info', label: 'Navigation', title: text(data['url']) ?? '' }),
  error: (data) => ({ tone: 'error', label: text(data['type']) ?? 'Error', title: text(data['message']) ?? '' }),
  request: describeRequest,
  websocket: (data) => ({
    tone: data['op'] === 'error' ? 'error' : 'neutral',
    label: `WebSocket ${text(data['direction']) ?? text(data['op']) ?? ''}`.trim(),
    title: pathOf(text(data['url']) ?? ''),
  }),
  console: (data) => ({
    tone: consoleTone(data['level']),
    label: `console.${text(data['level']) ?? 'log'}`,
    title: consoleText(data),
  }),
  click: (data) => ({ tone: 'neutral', label: 'Click', title: target(data) }),
  input: (data) => ({ tone: 'neutral', label: 'Input', title: target(data) }),
  rage_click: (data) => ({
    tone: 'frustration',
    label: `Rage click ×${String(number(data['count']) ?? '')}`,
    title: target(data),
  }),
  dead_click: (data) => ({ tone: 'frustration', label: 'Dead click', title: target(data) }),
  vital: describeVital,
  long_task: (data) => ({
    tone: 'neutral',
    label: 'Long task',
    title: formatDuration(number(data['duration_ms']) ?? 0),
  }),
  visibility: (data) => ({
    tone: 'neutral',
    label: data['state'] === 'hidden' ? 'Tab hidden' : 'Tab visible',
    title: '',
  }),
  custom: (data) => ({ tone: 'accent', label: 'Custom', title: text(data['name']) ?? '' }),
  identify: (data) => ({ tone: 'accent', label: 'Identified', title: text(data['email']) ?? text(data['id']) ?? '' }),
  gap: (data) => ({ tone: 'warn', label: 'Gap', title: gapReason(text(data['reason']) ?? '') }),
  degraded: (data) => ({ tone: 'warn', label: 'Recorder', title: (text(data['reason']) ?? '').replaceAll('_', ' ') }),
  end: (data) => ({ tone: 'neutral', label: 'End', title: (text(data['reason']) ?? '').replaceAll('_', ' ') }),
};

function describe(kind: string, data: Record<string, unknown>): Description {
  return DESCRIPTIONS[kind]?.(data) ?? { tone: 'neutral', label: kind.replaceAll('_', ' '), title: '' };
}

function describeRequest(data: Record<string, unknown>): Description {
  const tone = isFailed(data) ? 'error' : data['slow'] === true ? 'warn' : 'neutral';
  return { tone, label: text(data['method']) ?? 'GET', title: pathOf(text(data['url']) ?? '') };
}

function describeVital(data: Record<string, unknown>): Description {
  const name = text(data['name']) ?? 'Vital';
  const value = number(data['value']) ?? 0;
  const tones: Record<string, Tone> = { poor: 'error', 'needs-improvement': 'warn' };
  const shown = name === 'CLS' ? value.toFixed(3) : formatDuration(value);
  return {
    tone: tones[text(data['rating']) ?? ''] ?? 'neutral',
    label: name,
    title: `${shown} · ${text(data['rating']) ?? ''}`,
  };
}

export function isFailed(data: Record<string, unknown>): boolean {
  if (typeof data['failed'] === 'boolean') return data['failed'];
  const outcome = text(data['outcome']);
  return outcome !== null && outcome !== 'ok' && outcome !== 'aborted';
}

function consoleTone(level: unknown): Tone {
  return level === 'error' ? 'error' : level === 'warn' ? 'warn' : 'neutral';
}

export function consoleText(data: Record<string, unknown>): string {
  return Array.isArray(data['args']) ? data['args'].map(String).join(' ') : '';
}

const GAP_REASONS: Record<string, string> = {
  offline: 'the browser was offline',
  buffer_full: 'the recorder’s memory was full',
  unload: 'the page was left before everything was sent',
  rejected: 'the server refused a part',
  too_large: 'a part was too large to send',
  degraded: 'the page changed faster than it could be recorded',
  missing: 'a part never arrived',
};

/** Why something was not recorded, as a clause. */
export function gapReason(reason: string): string {
  return GAP_REASONS[reason] ?? reason.replaceAll('_', ' ');
}

/** Lanes of the time line, from top to bottom. */
export const LANES = ['Navigation', 'Requests', 'Errors', 'Frustration', 'Custom'] as const;
export type Lane = (typeof LANES)[number];

/** The lane that a moment is a marker of, or null when it is none. */
export function laneOf(moment: Moment): Lane | null {
  switch (moment.kind) {
    case 'page':
    case 'navigation':
      return 'Navigation';
    case 'request':
      return moment.tone === 'error' || moment.tone === 'warn' ? 'Requests' : null;
    case 'error':
      return 'Errors';
    case 'rage_click':
    case 'dead_click':
      return 'Frustration';
    case 'custom':
      return 'Custom';
    default:
      return null;
  }
}

/** Kinds that show that a person was there: what "skip inactivity" stops for. */
const ACTIVE = new Set(['page', 'navigation', 'error', 'click', 'input', 'rage_click', 'dead_click', 'custom']);
export const isActive = (moment: Moment): boolean => ACTIVE.has(moment.kind);

/** Index of the last item at or before `at`; -1 when there is none. Items are in order of time. */
export function lastAtOrBefore(items: readonly { at: number }[], at: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.at ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The marker to step to: the next one after `at`, or the last one clearly before it. */
export function stepMarker(markers: readonly Moment[], at: number, direction: 1 | -1): Moment | null {
  if (direction === 1) return markers.find((marker) => marker.at > at + 1) ?? null;
  return markers.findLast((marker) => marker.at < at - 500) ?? null;
}

/** A link from an issue opens the replay so long before the error. */
export const ISSUE_LEAD_MS = 10_000;

/** An error is watched from this long before it. */
export const LEAD_MS = 2500;

export function leadIn(at: number): number {
  return Math.max(0, at - LEAD_MS);
}
