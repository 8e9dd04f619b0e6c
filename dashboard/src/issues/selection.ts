import { useCallback, useMemo, useState } from 'react';

export interface Selection {
  ids: ReadonlySet<string>;
  has: (id: string) => boolean;
  toggle: (id: string) => void;
  /** Selects all of these, or none when all of them are. */
  toggleAll: (ids: readonly string[]) => void;
  clear: () => void;
}

/** Which rows are selected, by id. */
export function useSelection(): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(() => new Set());
  const toggle = useCallback((id: string) => {
    setIds((now) => {
      const next = new Set(now);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  }, []);
  const toggleAll = useCallback((all: readonly string[]) => {
    setIds((now) => (all.every((id) => now.has(id)) ? new Set() : new Set(all)));
  }, []);
  const clear = useCallback(() => {
    setIds((now) => (now.size === 0 ? now : new Set()));
  }, []);
  return useMemo(
    () => ({ ids, has: (id: string) => ids.has(id), toggle, toggleAll, clear }),
    [ids, toggle, toggleAll, clear],
  );
}
