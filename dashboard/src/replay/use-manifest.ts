import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { fetchManifest } from '../api/endpoints';
import type { Manifest } from '../api/model';
import { putInSequence } from './player/manifest-times';

const LIVE_INTERVAL_MS = 2000;

/** The session's manifest, read again every two seconds while it is live; the same object while nothing has changed. */
export function useManifest(projectId: string, sessionId: string) {
  const queries = useQueryClient();
  const etag = useRef<string | null>(null);
  const key = ['manifest', projectId, sessionId];
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Manifest> => {
      const known = queries.getQueryData<Manifest>(key);
      const answer = await fetchManifest(projectId, sessionId, known ? etag.current : null, signal);
      etag.current = answer.etag;
      if (answer.manifest !== null) return putInSequence(answer.manifest);
      return (
        known ??
        (await fetchManifest(projectId, sessionId, null, signal).then(
          ({ manifest }) => manifest && putInSequence(manifest),
        )) ??
        missing()
      );
    },
    structuralSharing: false,
    refetchInterval: (query) => (query.state.data?.state === 'live' ? LIVE_INTERVAL_MS : false),
    refetchIntervalInBackground: false,
  });
}

function missing(): never {
  throw new Error('the server sent no manifest');
}
