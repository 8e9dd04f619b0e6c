import type { FiringStatus } from '../api/alerts';

/** Which firings are shown, as the address bar holds it. */
export interface FiringFilters {
  /** Absent: any. */
  state?: FiringStatus;
  /** Only those of a rule: where a message links to. */
  rule?: string;
}

export const FIRING_STATES: readonly { key: FiringStatus | 'any'; label: string }[] = [
  { key: 'any', label: 'Any state' },
  { key: 'open', label: 'Open' },
  { key: 'acknowledged', label: 'Acknowledged' },
  { key: 'resolved', label: 'Resolved' },
];

/** Reads filters out of the address; what makes no sense is left out. */
export function readFiringFilters(search: Record<string, unknown>): FiringFilters {
  const state = FIRING_STATES.map(({ key }) => key).find((key) => key !== 'any' && key === search['state']);
  const rule = search['rule'];
  return {
    ...(state !== undefined && state !== 'any' && { state }),
    ...(typeof rule === 'string' && /^[0-9a-f]{16}$/.test(rule) && { rule }),
  };
}
