import type { Session } from '../api/model';
import { countryName, pathOf } from '../format/text';
import { openKey, type SessionFilters, type TextFilterKey } from './filters';

export interface Suggestion {
  key: TextFilterKey;
  /** `browser` */
  label: string;
  value: string;
  /** What else names the value: `Portugal` for `PT`. */
  hint?: string;
}

const SUGGESTIONS_MAX = 7;
const PER_KIND_MAX = 3;

const VALUES: readonly [TextFilterKey, string, (session: Session) => readonly (string | null | undefined)[]][] = [
  ['user', 'user', (session) => [session.user?.email, session.user?.id]],
  ['page', 'page', (session) => session.pages.map((page) => pathOf(page))],
  ['event', 'custom event', (session) => session.custom_events],
  ['browser', 'browser', (session) => [session.browser.name]],
  ['os', 'OS', (session) => [session.os.name]],
  ['country', 'country', (session) => [session.country]],
  ['release', 'release', (session) => [session.release]],
  ['ip', 'IP', (session) => [session.ip]],
];

/** Filters that the typed text may mean, taken from the sessions at hand; the most frequent values first. */
export function suggestFilters(typed: string, sessions: readonly Session[], filters: SessionFilters): Suggestion[] {
  const { only, wanted } = readWanted(typed);
  if (wanted.length === 0 && only === undefined) return [];
  const found: Suggestion[] = [];
  for (const [key, label, read] of VALUES) {
    if (filters[key] !== undefined || (only !== undefined && key !== only)) continue;
    const counts = new Map<string, number>();
    for (const session of sessions) {
      for (const value of new Set(read(session))) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const matching = [...counts]
      .map(([value, count]) => ({ value, count, hint: key === 'country' ? countryName(value) : undefined }))
      .filter(({ value, hint }) => `${value} ${hint ?? ''}`.toLowerCase().includes(wanted))
      .sort((a, b) => b.count - a.count)
      .slice(0, only === undefined ? PER_KIND_MAX : SUGGESTIONS_MAX);
    found.push(...matching.map(({ value, hint }) => ({ key, label, value, hint })));
  }
  return found.slice(0, SUGGESTIONS_MAX);
}

/** `browser:chr` asks for browsers only, and for all that are known before its value is begun. */
function readWanted(typed: string): { only?: TextFilterKey; wanted: string } {
  const open = openKey(typed);
  return open === null ? { wanted: typed.trim().toLowerCase() } : { only: open.key, wanted: open.value.toLowerCase() };
}
