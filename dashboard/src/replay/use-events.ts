import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { fetchEvents } from '../api/endpoints';
import type { SessionEvent } from '../api/model';
import { type Moment, toMoment } from './moments';

const PAGE_SIZE = 1000;

/** More are not held at once; searching then asks the server. */
const MOST_EVENTS = 20_000;

const LIVE_INTERVAL_MS = 2000;

interface Loaded {
  items: SessionEvent[];
  /** Where the last page began, to read it again while the session is live. */
  tail: { cursor: string | undefined; index: number };
  complete: boolean;
}

export interface Events {
  moments: readonly Moment[];
  /** Whether all of the session's events are here. */
  complete: boolean;
  loading: boolean;
  error: unknown;
  retry: () => void;
}

/** All signals of a session in order of time, up to a bound; read on from the last page while it is live. */
export function useEvents(projectId: string, sessionId: string, isLive: boolean): Events {
  const queries = useQueryClient();
  const key = ['events', projectId, sessionId];
  const query = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => loadOn(projectId, sessionId, queries.getQueryData<Loaded>(key), signal),
    refetchInterval: isLive ? LIVE_INTERVAL_MS : false,
    staleTime: isLive ? 0 : 60_000,
  });
  const items = query.data?.items;
  const moments = useMemo(() => (items ?? []).map(toMoment).sort((one, other) => one.at - other.at), [items]);
  return {
    moments,
    complete: query.data?.complete ?? false,
    loading: query.isPending,
    error: query.data ? null : query.error,
    retry: () => {
      void query.refetch();
    },
  };
}

async function loadOn(
  project: string,
  session: string,
  before: Loaded | undefined,
  signal: AbortSignal,
): Promise<Loaded> {
  const tail = before?.tail ?? { cursor: undefined, index: 0 };
  const items = before ? before.items.slice(0, tail.index) : [];
  let { cursor, index } = tail;
  for (;;) {
    const page = await fetchEvents(project, session, { limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) }, signal);
    index = items.length;
    items.push(...page.items);
    if (page.next === null || items.length >= MOST_EVENTS) {
      const unchanged = before?.items.length === items.length && before.items.at(-1)?.id === items.at(-1)?.id;
      return unchanged ? before : { items, tail: { cursor, index }, complete: page.next === null };
    }
    cursor = page.next;
  }
}

/** The events that hold a text, found by the server; undefined while it searches. */
export function useServerSearch(
  projectId: string,
  sessionId: string,
  text: string,
  enabled: boolean,
): readonly Moment[] | undefined {
  const query = useQuery({
    queryKey: ['event-search', projectId, sessionId, text],
    queryFn: ({ signal }) => fetchEvents(projectId, sessionId, { q: text, limit: PAGE_SIZE }, signal),
    enabled: enabled && text !== '',
    staleTime: 60_000,
  });
  return useMemo(() => query.data?.items.map(toMoment), [query.data]);
}
