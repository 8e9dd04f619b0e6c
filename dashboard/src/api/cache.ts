import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { asProblem } from './problem';

const ATTEMPTS_MAX = 2;

/** The cache of everything that was fetched. `onSignedOut` is called when the server no longer knows who we are. */
export function createQueries(onSignedOut: () => void): QueryClient {
  const onError = (error: Error) => {
    if (asProblem(error).status === 401) onSignedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < ATTEMPTS_MAX && asProblem(error).isRetryable,
        retryDelay: (attempt) => Math.min(400 * 2 ** attempt, 4000),
        gcTime: 10 * 60_000,
        // A development server on the same machine is reachable without a network.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}
