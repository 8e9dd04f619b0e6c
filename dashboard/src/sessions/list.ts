import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { fetchSessions, type SessionQuery } from '../api/endpoints';
import type { Session } from '../api/model';
import { toSessionQuery, type SessionFilters } from './filters';
import { mergeFirstPage } from './merge';

const PAGE_SIZE = 50;
const REFRESH_INTERVAL_MS = 2500;

export interface SessionList {
  sessions: Session[];
  /** Nothing was loaded yet. */
  isLoading: boolean;
  /** Rows of the filters before are shown until the new ones arrive. */
  isStale: boolean;
  isLoadingMore: boolean;
  error: Error | null;
  /** The rows are older than they should be, because the newest refresh failed. */
  refreshError: Error | null;
  hasMore: boolean;
  /** The server stopped looking before it found a page full. */
  isPartial: boolean;
  loadMore: () => void;
  retry: () => void;
}

/** The sessions of a project that match the filters: paged by cursor, its start refreshed every 2.5 s. */
export function useSessionList(projectId: string, filters: SessionFilters): SessionList {
  const key = JSON.stringify(filters);
  // A cursor belongs to one set of parameters, so a relative range must not move between two pages.
  // eslint-disable-next-line react-hooks/exhaustive-deps, react-hooks/purity -- the filters by value, not by identity
  const query = useMemo<SessionQuery>(() => ({ ...toSessionQuery(filters, Date.now()), limit: PAGE_SIZE }), [key]);

  const pages = useInfiniteQuery({
    queryKey: ['sessions', projectId, query],
    queryFn: ({ pageParam, signal }) => fetchSessions(projectId, { ...query, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
  });
  const first = useQuery({
    queryKey: ['sessions-first', projectId, query],
    queryFn: ({ signal }) => fetchSessions(projectId, query, signal),
    enabled: pages.isSuccess && !pages.isPlaceholderData,
    refetchInterval: REFRESH_INTERVAL_MS,
    retry: false,
  });

  const isAscending = filters.sort === 'started_at';
  const merged = useMemo(() => {
    const loaded = pages.data?.pages.flatMap((page) => page.items) ?? [];
    return pages.isPlaceholderData ? loaded : mergeFirstPage(loaded, first.data, isAscending);
  }, [pages.data, pages.isPlaceholderData, first.data, isAscending]);

  const mustReload = merged === null;
  const { refetch } = pages;
  useEffect(() => {
    if (mustReload) void refetch();
  }, [mustReload, refetch]);

  return {
    sessions: merged ?? first.data?.items ?? [],
    isLoading: pages.isPending,
    isStale: pages.isPlaceholderData,
    isLoadingMore: pages.isFetchingNextPage,
    error: pages.data ? null : pages.error,
    refreshError: first.error ?? (pages.data ? pages.error : null),
    hasMore: pages.hasNextPage,
    isPartial: pages.data?.pages.at(-1)?.partial ?? false,
    loadMore: () => {
      if (!pages.isFetching) void pages.fetchNextPage();
    },
    retry: () => {
      void pages.refetch();
      void first.refetch();
    },
  };
}
