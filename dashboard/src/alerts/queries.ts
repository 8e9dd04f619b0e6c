import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';
import {
  changeFiring,
  fetchAlertSettings,
  fetchChannels,
  fetchDeliveries,
  fetchFirings,
  fetchRule,
  fetchRules,
  type AlertRule,
  type AlertRuleList,
  type Firing,
  type FiringStatus,
} from '../api/alerts';
import { fetchIssues } from '../api/issues';
import { fetchEndpoints, fetchPages } from '../api/performance';
import { toast, toastFailure } from '../ui';

const REFRESH_INTERVAL_MS = 4000;
const SLOW_REFRESH_INTERVAL_MS = 15_000;
const ISSUES_LOOKED_UP = 100;

/** What fired, the newest first; all states unless one is given. */
export const firingsQuery = (project: string, status?: FiringStatus) =>
  queryOptions({
    queryKey: ['alert-firings', project, status ?? 'any'],
    queryFn: ({ signal }) => fetchFirings(project, status, signal),
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_INTERVAL_MS,
  });

export const deliveriesQuery = (project: string) =>
  queryOptions({
    queryKey: ['alert-deliveries', project],
    queryFn: ({ signal }) => fetchDeliveries(project, signal),
    refetchInterval: REFRESH_INTERVAL_MS,
  });

export const rulesQuery = (project: string) =>
  queryOptions({
    queryKey: ['alert-rules', project],
    queryFn: ({ signal }) => fetchRules(project, signal),
    refetchInterval: SLOW_REFRESH_INTERVAL_MS,
  });

export const ruleQuery = (project: string, rule: string) =>
  queryOptions({
    queryKey: ['alert-rule', project, rule],
    queryFn: ({ signal }) => fetchRule(project, rule, signal),
  });

export const channelsQuery = (project: string) =>
  queryOptions({
    queryKey: ['alert-channels', project],
    queryFn: ({ signal }) => fetchChannels(project, signal),
    refetchInterval: SLOW_REFRESH_INTERVAL_MS,
  });

export const alertSettingsQuery = (project: string) =>
  queryOptions({
    queryKey: ['alert-settings', project],
    queryFn: ({ signal }) => fetchAlertSettings(project, signal),
  });

/** The issues that happened last, by id: firings do not say how many an issue hit. */
export const hitByIssueQuery = (project: string) =>
  queryOptions({
    queryKey: ['alert-issues', project],
    queryFn: async ({ signal }) => {
      const { issues } = await fetchIssues(project, { sort: 'last_seen', limit: ISSUES_LOOKED_UP }, signal);
      return new Map(issues.map((issue) => [issue.id, issue]));
    },
    refetchInterval: SLOW_REFRESH_INTERVAL_MS,
  });

const NAMES_OFFERED = 200;

/** Endpoints or pages that can be chosen: the busiest of the last day. */
export const namesQuery = (project: string, of: 'endpoint' | 'page') =>
  queryOptions({
    queryKey: ['alert-names', project, of],
    queryFn: async ({ signal }) => {
      const query = { limit: NAMES_OFFERED };
      if (of === 'page') return (await fetchPages(project, query, signal)).pages.map(({ name }) => name);
      return (await fetchEndpoints(project, query, signal)).endpoints.map(({ name }) => name);
    },
    staleTime: 60_000,
  });

const readFirings = (queries: QueryClient, project: string) =>
  Promise.all(
    ['alert-firings', 'alert-deliveries'].map((key) => queries.invalidateQueries({ queryKey: [key, project] })),
  );

/** Acknowledges or resolves a firing, says so, and reads the lists again. */
export function useChangeFiring(project: string) {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ firing, status }: { firing: Firing; status: 'acknowledged' | 'resolved' }) =>
      changeFiring(project, firing, status),
    onSuccess: async ({ title }, { status }) => {
      toast(`${status === 'acknowledged' ? 'Acknowledged' : 'Resolved'}: ${title}`, 'ok');
      await readFirings(queries, project);
    },
    onError: (error) => {
      toastFailure('The alert was not changed')(error);
      void readFirings(queries, project);
    },
  });
  const change = (firing: Firing, status: 'acknowledged' | 'resolved') => {
    mutate({ firing, status });
  };
  return { change, isPending };
}

/** Puts a rule that was saved into the lists that show it. */
export function rememberRule(queries: QueryClient, project: string, saved: AlertRule) {
  queries.setQueryData(ruleQuery(project, saved.id).queryKey, saved);
  queries.setQueryData(rulesQuery(project).queryKey, (known: AlertRuleList | undefined) => {
    if (!known) return known;
    const isKnown = known.items.some(({ id }) => id === saved.id);
    const items = isKnown ? known.items.map((rule) => (rule.id === saved.id ? saved : rule)) : [...known.items, saved];
    return { ...known, items };
  });
  // What it fired may have ended with it.
  void readFirings(queries, project);
}
