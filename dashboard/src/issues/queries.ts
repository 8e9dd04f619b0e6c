import {
  keepPreviousData,
  queryOptions,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { changeIssues, discardIssues, fetchIssue, fetchIssues, mergeIssues, splitIssue } from '../api/issues';
import type { Issue, IssueChange, IssueDetail, IssuePage } from '../api/issues';
import { formatCountOf } from '../format/number';
import { toast, toastFailure } from '../ui';
import { toIssueQuery, type IssueFilters } from './filters';
import { describeUntil } from './parts';

const PAGE_SIZE = 50;
const REFRESH_INTERVAL_MS = 2500;
/** A list of several pages is read again as a whole, and so less often. */
const LONG_REFRESH_INTERVAL_MS = 30_000;

export interface IssueList {
  issues: Issue[];
  isLoading: boolean;
  /** Rows of the filters before are shown until the new ones arrive. */
  isStale: boolean;
  isLoadingMore: boolean;
  error: Error | null;
  refreshError: Error | null;
  hasMore: boolean;
  /** Not all issues were looked at. */
  isPartial: boolean;
  /** The issue that takes what is beyond the project's bound. */
  overflow: string | null;
  loadMore: () => void;
  retry: () => void;
}

/** The issues of a project that match the filters: paged by cursor, read again while the page is open. */
export function useIssueList(projectId: string, filters: IssueFilters): IssueList {
  const { query, sort } = toIssueQuery(filters);
  const pages = useInfiniteQuery({
    queryKey: ['issues', projectId, query, sort],
    queryFn: ({ pageParam, signal }) =>
      fetchIssues(projectId, { query, sort, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) > 1 ? LONG_REFRESH_INTERVAL_MS : REFRESH_INTERVAL_MS,
  });
  const loaded = pages.data;
  // While pages are read an issue may move from one to another.
  const issues = useMemo(
    () => [...new Map((loaded?.pages ?? []).flatMap((page) => page.issues).map((issue) => [issue.id, issue])).values()],
    [loaded],
  );
  return {
    issues,
    isLoading: pages.isPending,
    isStale: pages.isPlaceholderData,
    isLoadingMore: pages.isFetchingNextPage,
    error: loaded ? null : pages.error,
    refreshError: loaded ? pages.error : null,
    hasMore: pages.hasNextPage,
    isPartial: loaded?.pages.at(-1)?.partial ?? false,
    overflow: loaded?.pages[0]?.overflow ?? null,
    loadMore: () => {
      if (!pages.isFetching) void pages.fetchNextPage();
    },
    retry: () => {
      void pages.refetch();
    },
  };
}

export const issueQuery = (projectId: string, issueId: string) =>
  queryOptions({
    queryKey: ['issue', projectId, issueId],
    queryFn: ({ signal }) => fetchIssue(projectId, issueId, signal),
  });

/** An issue as some list showed it, for a page that is still loading. */
export function useListedIssue(projectId: string, issueId: string): Issue | undefined {
  const lists = useQueryClient().getQueriesData<InfiniteData<IssuePage>>({ queryKey: ['issues', projectId] });
  return lists.flatMap(([, list]) => list?.pages.flatMap((page) => page.issues) ?? []).find(({ id }) => id === issueId);
}

/** An issue and those merged into it, by id; null while that is not known yet. */
export function useIssueIds(projectId: string, issueId: string | undefined): ReadonlySet<string> | null {
  const { data, isLoading } = useQuery({ ...issueQuery(projectId, issueId ?? ''), enabled: issueId !== undefined });
  return useMemo(() => {
    if (issueId === undefined) return new Set<string>();
    if (isLoading) return null;
    return new Set([issueId, ...(data ? idsOf(data) : [])]);
  }, [issueId, isLoading, data]);
}

/** The issue's own id first. */
export const idsOf = ({ id, members }: IssueDetail): string[] => [id, ...members.map((member) => member.id)];

/** What makes lists and pages of issues, and their sessions, read again. */
const ISSUE_KEYS = ['issues', 'issue', 'issue-sessions'] as const;

const readAgain = (queries: QueryClient, projectId: string) =>
  Promise.all(ISSUE_KEYS.map((key) => queries.invalidateQueries({ queryKey: [key, projectId] })));

/** Makes issues one, says so, and reads them again. */
export function useMergeIssues(projectId: string) {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ ids, into }: { ids: readonly string[]; into: string }) => mergeIssues(projectId, ids, into),
    onSuccess: async (_, { ids }) => {
      toast(`${formatCountOf(ids.length, 'issue')} merged`, 'ok');
      await readAgain(queries, projectId);
    },
    onError: toastFailure('The issues were not merged'),
  });
  const merge = (ids: readonly string[], into: string, onDone?: () => void) => {
    mutate({ ids, into }, { onSuccess: onDone });
  };
  return { merge, isPending };
}

/** Discards issues, says so, and reads the lists again. */
export function useDiscardIssues(projectId: string) {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: (ids: readonly string[]) => discardIssues(projectId, ids),
    onSuccess: async (discarded, ids) => {
      toast(done(discarded, ids.length, 'discarded'), 'ok');
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['issues', projectId] }),
        queries.invalidateQueries({ queryKey: ['discarded-issues', projectId] }),
      ]);
    },
    onError: toastFailure('The issues were not discarded'),
  });
  const discard = (ids: readonly string[], onDone: () => void) => {
    mutate(ids, { onSuccess: onDone });
  };
  return { discard, isPending };
}

/** Takes an issue out of a merged one. */
export function useSplitIssue(projectId: string) {
  const queries = useQueryClient();
  const { mutate: split, isPending } = useMutation({
    mutationFn: (issue: string) => splitIssue(projectId, issue),
    onSuccess: async () => {
      toast('It is an issue of its own again', 'ok');
      await readAgain(queries, projectId);
    },
    onError: toastFailure('The issue was not split off'),
  });
  return { split, isPending };
}

export interface Changing {
  change: (ids: readonly string[], change: IssueChange, onDone?: () => void) => void;
  isPending: boolean;
}

/** Changes issues, says what was done, and reads them again. */
export function useChangeIssues(projectId: string): Changing {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ ids, change }: { ids: readonly string[]; change: IssueChange }) =>
      changeIssues(projectId, ids, change),
    onSuccess: async (changed, { ids, change }) => {
      toast(done(changed, ids.length, describeChange(change)), 'ok');
      await readAgain(queries, projectId);
    },
    onError: toastFailure('The change was not saved'),
  });
  return {
    change: (ids, change, onDone) => {
      if (ids.length > 0) mutate({ ids, change }, { onSuccess: onDone });
    },
    isPending,
  };
}

/** `3 issues resolved`, and how many of those that were asked for are not there any more. */
const done = (count: number, asked: number, what: string): string =>
  `${formatCountOf(count, 'issue')} ${what}${count < asked ? `, ${formatCountOf(asked - count, 'issue')} not there any more` : ''}`;

function describeChange({ state, resolved_in, assignee, archived_until, priority }: IssueChange): string {
  if (priority !== undefined) return priority === 'none' ? 'ranked by their counts' : `pinned as ${priority}`;
  if (state === 'resolved') return `resolved${RESOLVED_IN[resolved_in ?? 'now']}`;
  if (state === 'archived') return archived_until ? `archived until ${describeUntil(archived_until)}` : 'archived';
  if (state === 'ongoing') return 'reopened';
  return assignee ? `assigned to ${assignee}` : 'assigned to nobody';
}

const RESOLVED_IN = { now: '', next_release: ' in the next release', this_release: ' in its newest release' } as const;
