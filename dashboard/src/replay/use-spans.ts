import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { fetchEvents } from '../api/endpoints';
import type { SessionEvent } from '../api/model';
import { byTrace, type SpansByTrace } from './panes/spans';

const PAGE_SIZE = 1000;
/** More are not held at once. */
const MOST_SPANS = 10_000;
const LIVE_INTERVAL_MS = 5000;

const NONE: readonly SessionEvent[] = [];

/** The spans of the session's backend; undefined until they are known. They come on their own way, later than the requests. */
export function useSpans(projectId: string, sessionId: string, isLive: boolean): SpansByTrace | undefined {
  const query = useQuery({
    queryKey: ['spans', projectId, sessionId],
    queryFn: ({ signal }) => load(projectId, sessionId, signal),
    refetchInterval: isLive ? LIVE_INTERVAL_MS : false,
    staleTime: isLive ? 0 : 30_000,
  });
  const spans = useMemo(() => byTrace(query.data ?? NONE), [query.data]);
  return query.data ? spans : undefined;
}

async function load(project: string, session: string, signal: AbortSignal): Promise<SessionEvent[]> {
  const items: SessionEvent[] = [];
  let cursor: string | null = null;
  do {
    const asked = { kinds: 'span', limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) };
    const page: Awaited<ReturnType<typeof fetchEvents>> = await fetchEvents(project, session, asked, signal);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < MOST_SPANS);
  return items;
}
