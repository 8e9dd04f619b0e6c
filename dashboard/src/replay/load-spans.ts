import type { EventPage, SessionEvent } from '../api/model';

/** More are not held at once. */
export const MOST_SPANS = 10_000;

/** Page by page, up to so many. */
export async function loadSpans(
  page: (cursor: string | null) => Promise<EventPage>,
): Promise<{ items: SessionEvent[]; areAll: boolean }> {
  const items: SessionEvent[] = [];
  let cursor: string | null = null;
  do {
    const { items: more, next }: EventPage = await page(cursor);
    items.push(...more);
    cursor = next ?? null;
  } while (cursor !== null && items.length < MOST_SPANS);
  return { items, areAll: cursor === null };
}
