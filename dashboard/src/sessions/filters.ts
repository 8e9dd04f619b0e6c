import type { SessionQuery } from '../api/endpoints';
import { formatDuration } from '../format/duration';
import { formatShortTime } from '../format/time';

/** What the list shows, as the address bar holds it. Absent means: no limit. */
export interface SessionFilters {
  /** Free text: user, e-mail, id, page. */
  q?: string;
  /** Only the last so many milliseconds, such as `24h`; see {@link RANGES}. */
  range?: string;
  /** Milliseconds of the Unix epoch; they win over `range`. */
  from?: number;
  to?: number;
  min?: number;
  max?: number;
  errors?: true;
  failed?: true;
  browser?: string;
  os?: string;
  country?: string;
  release?: string;
  page?: string;
  user?: string;
  ip?: string;
  id?: string;
  event?: string;
  /** An issue that an error of the session belongs to: 32 hexadecimal digits. */
  issue?: string;
  sort?: Sort;
}

export type TextFilterKey =
  'browser' | 'os' | 'country' | 'release' | 'page' | 'user' | 'ip' | 'id' | 'event' | 'issue';

export const TEXT_FILTERS: readonly { key: TextFilterKey; label: string; hint: string }[] = [
  { key: 'user', label: 'User', hint: 'id or e-mail' },
  { key: 'page', label: 'Page', hint: '/checkout or /orders/*' },
  { key: 'browser', label: 'Browser', hint: 'Chrome' },
  { key: 'os', label: 'OS', hint: 'Windows' },
  { key: 'country', label: 'Country', hint: 'PT' },
  { key: 'release', label: 'Release', hint: '2.4.1' },
  { key: 'event', label: 'Custom event', hint: 'coupon applied' },
  { key: 'ip', label: 'IP address', hint: '203.0.113.7' },
  { key: 'id', label: 'Session id', hint: '32 hex digits' },
  { key: 'issue', label: 'Issue', hint: 'id of an issue' },
];

const HOUR_MS = 3_600_000;
export const RANGES: readonly { key: string; label: string; length_ms: number }[] = [
  { key: '1h', label: 'Last hour', length_ms: HOUR_MS },
  { key: '24h', label: 'Last 24 hours', length_ms: 24 * HOUR_MS },
  { key: '7d', label: 'Last 7 days', length_ms: 7 * 24 * HOUR_MS },
  { key: '30d', label: 'Last 30 days', length_ms: 30 * 24 * HOUR_MS },
];

export type Sort = '-started_at' | 'started_at';
export const DEFAULT_SORT: Sort = '-started_at';
export const SORTS: readonly { key: Sort; label: string }[] = [
  { key: '-started_at', label: 'Newest first' },
  { key: 'started_at', label: 'Oldest first' },
];

const HEX_ID = /^[0-9a-f]{32}$/i;
/** Whether a text is the whole id of a session or an issue. */
export const isHexId = (value: string): boolean => HEX_ID.test(value);

const TEXT_MAX = 400;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, TEXT_MAX) : undefined;
const whole = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
};
const flag = (value: unknown): true | undefined =>
  value === true || value === 'true' || value === '1' ? true : undefined;

/** Reads filters out of the address; what makes no sense is left out. */
export function readFilters(search: Record<string, unknown>): SessionFilters {
  const sort = text(search['sort']);
  const range = text(search['range']);
  const filters: SessionFilters = {
    q: text(search['q']),
    range: RANGES.some(({ key }) => key === range) ? range : undefined,
    from: whole(search['from']),
    to: whole(search['to']),
    min: whole(search['min']),
    max: whole(search['max']),
    errors: flag(search['errors']),
    failed: flag(search['failed']),
    sort: sort === 'started_at' ? sort : undefined,
  };
  for (const { key } of TEXT_FILTERS) filters[key] = text(search[key]);
  // The API refuses anything else.
  filters.issue = HEX_ID.test(filters.issue ?? '') ? filters.issue?.toLowerCase() : undefined;
  return dropAbsent(filters);
}

function dropAbsent(filters: SessionFilters): SessionFilters {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
}

/** Start of a relative range, rounded down to the minute so that pages of one list agree with each other. */
function rangeStart(range: string | undefined, now: number): number | undefined {
  const known = RANGES.find(({ key }) => key === range);
  return known ? Math.floor((now - known.length_ms) / 60_000) * 60_000 : undefined;
}

/** The API takes a path, a URL or a pattern; any other text means pages that hold it. */
const toPagePattern = (page: string | undefined) =>
  page === undefined || page.includes('*') || /^(\/|https?:\/\/)/.test(page) ? page : `*${page}*`;

/** The API's query parameters for the filters. `now` decides where a relative range starts. */
export function toSessionQuery(filters: SessionFilters, now: number): SessionQuery {
  const isWholeId = filters.id !== undefined && HEX_ID.test(filters.id);
  return {
    // A piece of an id is looked for as text: the API takes only whole ids.
    q: filters.q ?? (isWholeId ? undefined : filters.id?.toLowerCase()),
    from: filters.from ?? rangeStart(filters.range, now),
    to: filters.to,
    min_duration_ms: filters.min,
    max_duration_ms: filters.max,
    has_errors: filters.errors,
    has_failed_requests: filters.failed,
    browser: filters.browser,
    os: filters.os,
    country: filters.country?.toUpperCase(),
    release: filters.release,
    page: toPagePattern(filters.page),
    user: filters.user,
    ip: filters.ip,
    session_id: isWholeId ? filters.id?.toLowerCase() : undefined,
    custom_event: filters.event,
    issue: filters.issue,
    sort: filters.sort,
  };
}

export interface FilterChip {
  key: string;
  /** `country: PT` in two parts. */
  label: string;
  value: string;
  /** The filters without this one. */
  without: SessionFilters;
}

/** What is filtered by, one chip each; free text and sort are shown elsewhere. */
export function describeFilters(filters: SessionFilters, now: number): FilterChip[] {
  const chips: FilterChip[] = [];
  const add = (label: string, value: string, ...keys: (keyof SessionFilters)[]) => {
    const without = Object.fromEntries(
      Object.entries(filters).filter(([key]) => !keys.includes(key as keyof SessionFilters)),
    );
    chips.push({ key: keys.join(), label, value, without });
  };
  if (filters.from !== undefined || filters.to !== undefined) {
    const from = filters.from === undefined ? '…' : formatShortTime(filters.from, 'local', now);
    const to = filters.to === undefined ? 'now' : formatShortTime(filters.to, 'local', now);
    add('started', `${from} – ${to}`, 'from', 'to');
  }
  if (filters.errors) add('has', 'errors', 'errors');
  if (filters.failed) add('has', 'failed requests', 'failed');
  if (filters.min !== undefined) add('longer than', formatDuration(filters.min), 'min');
  if (filters.max !== undefined) add('shorter than', formatDuration(filters.max), 'max');
  for (const { key, label } of TEXT_FILTERS) {
    const value = filters[key];
    if (value) add(label.toLowerCase(), key === 'issue' ? `${value.slice(0, 8)}…` : value, key);
  }
  return chips;
}

/** Whether anything narrows the list. */
export const isFiltered = (filters: SessionFilters): boolean => Object.keys(filters).some((key) => key !== 'sort');

const TYPED_KEYS: Record<string, TextFilterKey> = {
  user: 'user',
  email: 'user',
  page: 'page',
  url: 'page',
  browser: 'browser',
  os: 'os',
  country: 'country',
  release: 'release',
  event: 'event',
  ip: 'ip',
  id: 'id',
  session: 'id',
  issue: 'issue',
};

const OPEN_KEY = /(^|\s)(\w+):("[^"]*|\S*)$/;

/** Typed text without a `browser:Chr` at its end: that is no text to look for, but a filter that is still being typed. */
export function withoutOpenKey(typed: string): string {
  return typed.replace(OPEN_KEY, (match: string, before: string, name: string) =>
    name.toLowerCase() in TYPED_KEYS || name.toLowerCase() === 'has' ? before : match,
  );
}

/** The filter that is being typed at the end of a text: its key, and what there is of its value. */
export function openKey(typed: string): { key: TextFilterKey; value: string } | null {
  const [, , name = '', value = ''] = OPEN_KEY.exec(typed) ?? [];
  const key = TYPED_KEYS[name.toLowerCase()];
  return key === undefined ? null : { key, value: value.replace(/^"/, '') };
}

export interface TypedFilter {
  filters: SessionFilters;
  /** What is left as free text. */
  rest: string;
}

/**
 * Takes `browser:Chrome`, `release:"2.4 beta"`, `has:errors` and a pasted session id out of typed text.
 * A word counts once a space or the end (`complete`) follows it.
 */
export function takeTypedFilters(typed: string, filters: SessionFilters, complete: boolean): TypedFilter {
  const next: SessionFilters = { ...filters };
  if (HEX_ID.test(typed.trim())) return { filters: { ...next, id: typed.trim().toLowerCase() }, rest: '' };
  const pattern = complete ? /([a-z]+):(?:"([^"]+)"|(\S+))(\s|$)/gi : /([a-z]+):(?:"([^"]+)"|(\S+))(\s)/gi;
  const rest = typed.replace(pattern, (match: string, name: string, quoted?: string, bare?: string) => {
    const value = quoted ?? bare ?? '';
    const key = TYPED_KEYS[name.toLowerCase()];
    if (key) next[key] = value;
    else if (name.toLowerCase() === 'has' && value === 'errors') next.errors = true;
    else if (name.toLowerCase() === 'has' && /^failed/.test(value)) next.failed = true;
    else return match;
    return '';
  });
  return { filters: next, rest };
}
