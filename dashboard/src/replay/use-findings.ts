import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Session } from '../api/model';
import { fetchEndpoints } from '../api/performance';
import { type History, withFindings } from './findings';
import type { Events } from './use-events';

const HISTORY_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;
/** As many endpoints as one answer has; those that are called most. */
const MOST_ENDPOINTS = 200;
const NONE: ReadonlyMap<string, History> = new Map();

/** What endpoints took in the seven days before a session: with whole hours, so that nothing of the session itself is in it. */
function useHistory({ project_id, started_at }: Session): ReadonlyMap<string, History> {
  const to_ms = Math.floor(started_at / HOUR_MS) * HOUR_MS;
  const query = useQuery({
    queryKey: ['endpoint-history', project_id, to_ms],
    queryFn: async ({ signal }) => {
      const asked = { from_ms: to_ms - HISTORY_MS, to_ms, limit: MOST_ENDPOINTS };
      const { endpoints } = await fetchEndpoints(project_id, asked, signal);
      const known = endpoints.flatMap(({ name, durations }): [string, History][] =>
        durations.p95_ms === null ? [] : [[name, { p95_ms: durations.p95_ms, requests: durations.known }]],
      );
      return new Map(known);
    },
    staleTime: Infinity,
  });
  return query.data ?? NONE;
}

/** A session's events, with what is wrong with its requests. */
export function useFindings(session: Session, events: Events): Events {
  const history = useHistory(session);
  const moments = useMemo(() => withFindings(events.moments, history), [events.moments, history]);
  return { ...events, moments };
}
