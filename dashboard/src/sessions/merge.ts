import type { Session, SessionPage } from '../api/model';

/**
 * Puts a fresh first page over what was loaded before. Fresh rows replace old ones; old rows within the time that the
 * fresh page covers and that it no longer holds are gone (deleted, or they stopped matching).
 * Returns null when the two do not meet: so much is new that the list must be loaded again.
 */
export function mergeFirstPage(
  loaded: readonly Session[],
  fresh: SessionPage | undefined,
  isAscending: boolean,
): Session[] | null {
  if (!fresh) return [...loaded];
  const items = fresh.items;
  // Without a next page the fresh one is the whole list.
  if (fresh.next === null) return [...items];
  const last = items.at(-1);
  if (!last || loaded.length === 0) return fresh.partial ? [...loaded] : [...items];
  const isCovered = (session: Session) =>
    isAscending ? session.started_at <= last.started_at : session.started_at >= last.started_at;
  const known = new Set(items.map((session) => session.id));
  if (!fresh.partial && !loaded.some((session) => known.has(session.id))) return null;
  return [...items, ...loaded.filter((session) => !known.has(session.id) && !isCovered(session))];
}
