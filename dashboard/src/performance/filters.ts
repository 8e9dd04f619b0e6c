import type { PerformanceQuery } from '../api/performance';

/** What the lists of endpoints and pages show, as the address bar holds it. */
export interface PerformanceFilters {
  /** A part of the name. */
  q?: string;
  release?: string;
  environment?: string;
  country?: string;
  /** Absent: the last 24 hours. */
  range?: RangeKey;
  sort?: string;
}

export const RANGES = [
  { key: '1h', label: 'Last hour', length_ms: 3_600_000 },
  { key: '24h', label: 'Last 24 hours', length_ms: 86_400_000 },
  { key: '7d', label: 'Last 7 days', length_ms: 7 * 86_400_000 },
  { key: '30d', label: 'Last 30 days', length_ms: 30 * 86_400_000 },
] as const;
export type RangeKey = (typeof RANGES)[number]['key'];
export const DEFAULT_RANGE: RangeKey = '24h';

export const ENDPOINT_SORTS = [
  { key: 'requests', label: 'Most requests' },
  { key: 'failures', label: 'Most failures' },
  { key: 'failure_share', label: 'Failure share' },
  { key: 'p95', label: 'Slowest p95' },
  { key: 'time', label: 'Most time' },
  { key: 'apdex', label: 'Worst Apdex' },
] as const;

export const PAGE_SORTS = [
  { key: 'loads', label: 'Most loads' },
  { key: 'LCP', label: 'Slowest LCP' },
  { key: 'INP', label: 'Slowest INP' },
  { key: 'CLS', label: 'Worst CLS' },
] as const;

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, 512) : undefined;

/** Reads what an address holds; what it cannot mean is left out. */
export function readPerformanceFilters(search: Record<string, unknown>): PerformanceFilters {
  const range = RANGES.find(({ key }) => key === search['range'])?.key;
  const sorts: readonly { key: string }[] = [...ENDPOINT_SORTS, ...PAGE_SORTS];
  return {
    q: text(search['q']),
    release: text(search['release']),
    environment: text(search['environment']),
    country: text(search['country']),
    range: range === DEFAULT_RANGE ? undefined : range,
    sort: sorts.find(({ key }) => key === search['sort'])?.key,
  };
}

/** What the API is asked. The window ends with the minute, so that one question is not asked anew with every millisecond. */
export function toQuery(
  filters: PerformanceFilters,
  now_ms: number,
  sorts: readonly { key: string }[],
): PerformanceQuery {
  const range = RANGES.find(({ key }) => key === (filters.range ?? DEFAULT_RANGE)) ?? RANGES[1];
  const to_ms = Math.ceil(now_ms / 60_000) * 60_000;
  return {
    from_ms: to_ms - range.length_ms,
    to_ms,
    query: filters.q,
    release: filters.release,
    environment: filters.environment,
    country: filters.country,
    sort: sorts.find(({ key }) => key === filters.sort)?.key,
    limit: 100,
  };
}

export const isFiltered = ({ q, release, environment, country }: PerformanceFilters): boolean =>
  [q, release, environment, country].some((value) => value !== undefined);
