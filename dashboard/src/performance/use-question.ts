import { keepPreviousData } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useNow } from '../ui';
import { readPerformanceFilters, toQuery } from './filters';

/** What the address chooses, and what the API is asked for it. */
export function useQuestion(search: object, sorts: readonly { key: string }[]) {
  const filters = useMemo(() => readPerformanceFilters({ ...search }), [search]);
  return { filters, query: toQuery(filters, useNow(60_000), sorts) };
}

/** How every question is kept fresh: what was shown stays until the next answer. */
export const KEPT_FRESH = { placeholderData: keepPreviousData, refetchInterval: 10_000 } as const;
