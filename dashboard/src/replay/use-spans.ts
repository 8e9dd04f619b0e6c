import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { fetchEvents } from '../api/endpoints';
import { loadSpans } from './load-spans';
import { byTrace, type SpansByTrace } from './panes/spans';

const PAGE_SIZE = 1000;
const LIVE_INTERVAL_MS = 5000;

export interface Spans {
  traces: SpansByTrace;
  /** False: there are more, and these are the first. */
  areAll: boolean;
}

interface Asked {
  projectId: string;
  sessionId: string;
  isLive: boolean;
}

/** The spans of the session's backend; undefined until they are known. They come on their own way, later than the requests. */
export function useSpans(asked: Asked): Spans | undefined {
  return useLoaded(asked, null, true);
}

/** The spans of one trace: out of all the session's, or by themselves where those are too many. */
export function useTrace(asked: Asked, trace: string | null): Spans | undefined {
  const all = useSpans(asked);
  const own = useLoaded(asked, trace, all?.areAll === false && trace !== null);
  return all?.areAll === false && trace !== null ? own : all;
}

function useLoaded({ projectId, sessionId, isLive }: Asked, trace: string | null, enabled: boolean) {
  const { data } = useQuery({
    queryKey: ['spans', projectId, sessionId, trace],
    queryFn: ({ signal }) =>
      loadSpans((cursor) => {
        const asked = {
          kinds: 'span',
          limit: PAGE_SIZE,
          ...(trace ? { q: trace } : {}),
          ...(cursor ? { cursor } : {}),
        };
        return fetchEvents(projectId, sessionId, asked, signal);
      }),
    enabled,
    refetchInterval: isLive ? LIVE_INTERVAL_MS : false,
    staleTime: isLive ? 0 : 30_000,
  });
  return useMemo(() => data && { traces: byTrace(data.items), areAll: data.areAll }, [data]);
}
