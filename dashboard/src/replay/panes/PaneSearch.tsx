import { type ReactNode, useMemo, useState } from 'react';
import { EmptyState, SearchInput, Skeleton } from '../../ui';
import type { Moment } from '../moments';
import { useServerSearch } from '../use-events';
import type { PaneProps } from './Panes';

export interface Filter {
  name: string;
  test: (moment: Moment) => boolean;
}

interface Found {
  items: readonly Moment[];
  bar: ReactNode;
  /** Shown in place of the rows when there are none. */
  empty: ReactNode | null;
}

interface Options {
  /** Which moments this pane is about. */
  belongs: (moment: Moment) => boolean;
  placeholder: string;
  filters?: readonly Filter[];
  /** What an empty pane says, and what would fill it. */
  emptyTitle: string;
  emptyText: string;
}

/** A pane's own moments, narrowed by its search field and its switches. Large sessions are searched by the server. */
export function usePaneSearch({ session, events }: PaneProps, options: Options): Found {
  const { belongs, filters = [], placeholder } = options;
  const [search, setSearch] = useState('');
  const [active, setActive] = useState<readonly string[]>([]);
  const asksServer = !events.complete && !events.loading && search !== '';
  const fromServer = useServerSearch(session.project_id, session.id, search, asksServer);
  const own = useMemo(() => events.moments.filter(belongs), [events.moments, belongs]);
  const items = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = asksServer ? (fromServer ?? []).filter(belongs) : own.filter((moment) => holds(moment, words));
    const tests = filters.filter((filter) => active.includes(filter.name));
    return tests.length === 0 ? found : found.filter((moment) => tests.some((filter) => filter.test(moment)));
  }, [own, search, active, filters, asksServer, fromServer, belongs]);
  const bar = (
    <div className="pane-find">
      <SearchInput value={search} onChange={setSearch} label={placeholder} placeholder={placeholder} shortcut="/" />
      {filters.map(({ name }) => (
        <button
          key={name}
          type="button"
          className={`chip-button chip ${active.includes(name) ? 'accent' : ''}`}
          aria-pressed={active.includes(name)}
          onClick={() => {
            setActive((now) => (now.includes(name) ? now.filter((each) => each !== name) : [...now, name]));
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
  return {
    items,
    bar,
    empty: emptyOf(options, own.length, items.length, events.loading || (asksServer && fromServer === undefined)),
  };
}

function emptyOf({ emptyTitle, emptyText }: Options, own: number, found: number, loading: boolean): ReactNode | null {
  if (found > 0) return null;
  if (loading) {
    return (
      <div className="skeleton-rows">
        {Array.from({ length: 10 }, (_, index) => (
          <Skeleton key={index} width={`${String(88 - ((index * 23) % 45))}%`} />
        ))}
      </div>
    );
  }
  if (own > 0) {
    return (
      <EmptyState icon="search" title="Nothing found">
        <p>No entry of this pane holds that text. Clear the search to see all of them.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="check" title={emptyTitle}>
      <p>{emptyText}</p>
    </EmptyState>
  );
}

const searchTexts = new WeakMap<Moment, string>();

function holds(moment: Moment, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  let searched = searchTexts.get(moment);
  if (searched === undefined) {
    searched = `${moment.label} ${moment.title} ${JSON.stringify(moment.data)}`.toLowerCase();
    searchTexts.set(moment, searched);
  }
  return words.every((word) => searched.includes(word));
}
