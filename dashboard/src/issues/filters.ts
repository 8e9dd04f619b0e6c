import type { IssueQuery, IssueSort } from '../api/issues';

/** What the list of issues shows, as the address bar holds it. */
export interface IssueFilters {
  /** Free text: title, culprit, type. */
  q?: string;
  /** Absent: those that nobody has resolved or archived. */
  state?: StateFilter;
  release?: string;
  assignee?: string;
  type?: string;
  /** `handled` or `unhandled`. */
  is?: string;
  mechanism?: string;
  page?: string;
  browser?: string;
  os?: string;
  country?: string;
  /** Absent: by priority. */
  sort?: IssueSort;
  /** Absent: the last 24 hours. */
  span?: '30d';
}

export type StateFilter = 'new' | 'ongoing' | 'escalating' | 'regressed' | 'resolved' | 'archived' | 'any';

/** Fields that the API searches by; it refuses any other. */
export const TEXT_KEYS = [
  'release',
  'assignee',
  'type',
  'is',
  'mechanism',
  'page',
  'browser',
  'os',
  'country',
] as const;
export type TextKey = (typeof TEXT_KEYS)[number];
const IS = ['handled', 'unhandled'];

export const UNRESOLVED = 'unresolved';
export const STATES: readonly { key: StateFilter | typeof UNRESOLVED; label: string }[] = [
  { key: UNRESOLVED, label: 'Unresolved' },
  { key: 'new', label: 'New' },
  { key: 'ongoing', label: 'Ongoing' },
  { key: 'escalating', label: 'Escalating' },
  { key: 'regressed', label: 'Regressed' },
  { key: 'resolved', label: 'Resolved' },
  { key: 'archived', label: 'Archived' },
  { key: 'any', label: 'Any state' },
];

export const DEFAULT_SORT: IssueSort = 'priority';
export const SORTS: readonly { key: IssueSort; label: string }[] = [
  { key: 'priority', label: 'Priority' },
  { key: 'last_seen', label: 'Last seen' },
  { key: 'first_seen', label: 'First seen' },
  { key: 'events', label: 'Most events' },
  { key: 'users', label: 'Most users' },
  { key: 'sessions', label: 'Most sessions' },
];

const TEXT_MAX = 400;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, TEXT_MAX) : undefined;

/** Reads filters out of the address; what makes no sense is left out. */
export function readIssueFilters(search: Record<string, unknown>): IssueFilters {
  const filters: IssueFilters = {
    q: text(search['q']),
    state: STATES.map(({ key }) => key).find((key) => key !== UNRESOLVED && key === search['state']) as StateFilter,
    sort: SORTS.map(({ key }) => key).find((key) => key !== DEFAULT_SORT && key === search['sort']),
    span: search['span'] === '30d' ? '30d' : undefined,
  };
  for (const key of TEXT_KEYS) filters[key] = text(search[key]);
  if (!IS.includes(filters.is ?? '')) filters.is = undefined;
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
}

/** A word that looks like a field and is none is searched for as it stands. */
const asWords = (typed: string) =>
  typed.replace(/(^|\s)([a-z]+:\S*)/g, (_, before: string, word: string) => before + `"${word.replaceAll('"', '')}"`);

const quoted = (value: string) => (/\s/.test(value) ? `"${value.replaceAll('"', '')}"` : value);

/** The API's parameters: one text of words and `key:value` pairs, and the order. */
export function toIssueQuery(filters: IssueFilters): IssueQuery {
  const state = filters.state ?? UNRESOLVED;
  const parts = [
    state === 'any' ? '' : `state:${state}`,
    ...TEXT_KEYS.map((key) => (filters[key] === undefined ? '' : `${key}:${quoted(filters[key])}`)),
    asWords(filters.q ?? ''),
  ];
  return { query: parts.filter(Boolean).join(' ') || undefined, sort: filters.sort ?? DEFAULT_SORT };
}

/** Whether anything but the usual narrows the list. */
export const isFiltered = (filters: IssueFilters): boolean =>
  Object.keys(filters).some((key) => key !== 'sort' && key !== 'span');

export interface TypedIssueFilter {
  filters: IssueFilters;
  /** What is left as free text. */
  rest: string;
}

/** Takes `release:2.4.1` and `state:new` out of typed text; a word counts once a space or the end (`complete`) follows. */
export function takeTyped(typed: string, filters: IssueFilters, complete: boolean): TypedIssueFilter {
  const next: IssueFilters = { ...filters };
  const pattern = complete ? /([a-z]+):(?:"([^"]+)"|(\S+))(\s|$)/gi : /([a-z]+):(?:"([^"]+)"|(\S+))(\s)/gi;
  const rest = typed.replace(pattern, (match: string, name: string, inQuotes?: string, bare?: string) => {
    const value = inQuotes ?? bare ?? '';
    const key = TEXT_KEYS.find((each) => each === name.toLowerCase());
    const state = STATES.find((each) => each.key === value.toLowerCase());
    if (key === 'is' && !IS.includes(value)) return match;
    if (key) next[key] = value;
    else if (name.toLowerCase() === 'state' && state) next.state = state.key === UNRESOLVED ? undefined : state.key;
    else return match;
    return '';
  });
  return { filters: next, rest };
}

const OPEN_KEY = new RegExp(`(^|\\s)(?:state|${TEXT_KEYS.join('|')}):(?:"[^"]*|\\S*)$`, 'i');

/** Typed text without a `release:2.` at its end: that is a filter that is still being typed. */
export const withoutOpenKey = (typed: string): string => typed.replace(OPEN_KEY, '$1');
