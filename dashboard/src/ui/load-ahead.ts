import { useEffect } from 'react';

const LOAD_AHEAD_ROWS = 12;

/** Loads the next page before the last row comes into sight. */
export function useLoadAhead(list: LoadAhead, lastShown: number, count: number) {
  const { hasMore, isLoadingMore, loadMore } = list;
  useEffect(() => {
    if (hasMore && !isLoadingMore && lastShown >= count - LOAD_AHEAD_ROWS) loadMore();
  }, [hasMore, isLoadingMore, lastShown, count, loadMore]);
}

/** A list that is loaded page by page. */
export interface LoadAhead {
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => void;
}
