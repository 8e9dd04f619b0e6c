import type { UseQueryResult } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { PerformanceWindow } from '../api/performance';
import { formatCount, formatCountOf } from '../format/number';
import { TopBar } from '../shell/TopBar';
import { ChoiceMenu, EmptyState, ErrorState, NotRefreshed, SearchInput, Skeleton, useTypedText } from '../ui';
import { DEFAULT_RANGE, isFiltered, RANGES, readPerformanceFilters, type PerformanceFilters } from './filters';
import { WindowNotes } from './parts';

interface FrameProps<List> {
  project: string;
  filters: PerformanceFilters;
  sorts: readonly { key: string; label: string }[];
  list: UseQueryResult<List>;
  /** What is listed, one of it. */
  noun: string;
  /** Said when there is nothing, and nothing was filtered. */
  nothing: { title: string; about: string };
  shownOf: (list: List) => number;
  /** The table. */
  children: (list: List) => ReactNode;
}

/** The list of endpoints or of pages: top bar, filters, and the table in whichever state it is. */
export function PerformanceFrame<List extends { window: PerformanceWindow; total: number }>(props: FrameProps<List>) {
  const { project, filters, sorts, list } = props;
  const navigate = useNavigate();
  const set = (patch: PerformanceFilters, replace = false) => {
    void navigate({ to: '.', search: { ...readPerformanceFilters({ ...filters, ...patch }) }, replace });
  };
  return (
    <div className="sessions">
      <TopBar
        crumbs={['API']}
        facts={
          <span className="facts" aria-live="polite">
            <WindowNotes shown={list.data?.window} />
            <NotRefreshed error={list.data ? list.error : null} />
          </span>
        }
      />
      <div className="filters" role="search">
        <Tabs project={project} filters={filters} />
        <Search filters={filters} set={set} />
        <RangeMenu filters={filters} set={set} />
        <ChoiceMenu
          label="Sort"
          icon="sort"
          value={filters.sort ?? sorts[0]?.key ?? ''}
          choices={sorts}
          onChange={(sort) => {
            set({ sort: sort === sorts[0]?.key ? undefined : sort });
          }}
        />
        <ContextMenus filters={filters} shown={list.data?.window} set={set} />
      </div>
      <Body {...props} />
    </div>
  );
}

function Body<List extends { total: number }>(props: FrameProps<List>) {
  const { filters, list, noun, nothing, shownOf, children } = props;
  if (list.data === undefined) {
    if (list.error === null) return <Loading label={`Loading ${noun}s`} />;
    const retry = () => {
      void list.refetch();
    };
    const title = `${noun[0]?.toUpperCase() ?? ''}${noun.slice(1)}s could not be loaded`;
    return <ErrorState title={title} error={list.error} retry={retry} />;
  }
  const shown = shownOf(list.data);
  if (shown === 0) {
    const { title, about } = isFiltered(filters)
      ? { title: `No ${noun} matches`, about: 'Try fewer filters or a longer time.' }
      : nothing;
    return (
      <EmptyState icon="gauge" title={title}>
        <p>{about}</p>
      </EmptyState>
    );
  }
  return (
    <div className="sessions-scroll" data-stale={list.isPlaceholderData || undefined} tabIndex={-1}>
      {children(list.data)}
      <div className="sessions-foot">
        {formatCount(shown)} of {formatCountOf(list.data.total, noun)}
      </div>
    </div>
  );
}

export function Loading({ label }: { label: string }) {
  return (
    <div className="sessions-scroll performance-loading" aria-busy="true" aria-label={label} role="status">
      {Array.from({ length: 10 }, (_, index) => (
        <Skeleton key={index} width={`${String(50 + ((index * 17) % 45))}%`} />
      ))}
    </div>
  );
}

const TABS = [
  { to: '/p/$project/endpoints', label: 'Endpoints' },
  { to: '/p/$project/pages', label: 'Pages' },
] as const;

function Tabs({ project, filters }: { project: string; filters: PerformanceFilters }) {
  const search = { ...filters, sort: undefined, q: undefined };
  return (
    <span className="section-tabs">
      {TABS.map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          params={{ project }}
          search={search}
          activeProps={{ className: 'on', 'aria-current': 'page' as const }}
          activeOptions={{ includeSearch: false, exact: true }}
        >
          {label}
        </Link>
      ))}
    </span>
  );
}

/** Names have no `key:value` to take out. */
const TYPED = {
  take: (typed: string, filters: PerformanceFilters) => ({ filters, rest: typed }),
  withoutOpenKey: (typed: string) => typed,
};

interface ChangeProps {
  filters: PerformanceFilters;
  set: (patch: PerformanceFilters, replace?: boolean) => void;
}

function Search({ filters, set }: ChangeProps) {
  const [typed, setTyped] = useTypedText<PerformanceFilters>(TYPED, filters, set);
  return (
    <div className="filter-search">
      <SearchInput value={typed} onChange={setTyped} label="Filter by name" placeholder="Filter by path…" />
    </div>
  );
}

export function RangeMenu({ filters, set }: ChangeProps) {
  return (
    <ChoiceMenu
      label="Time range"
      icon="clock"
      value={filters.range ?? DEFAULT_RANGE}
      choices={RANGES}
      onChange={(range) => {
        set({ range: range as PerformanceFilters['range'] });
      }}
    />
  );
}

interface ContextProps extends ChangeProps {
  shown: PerformanceWindow | undefined;
}

/** Only those of which the window has more than one value. */
export function ContextMenus({ filters, shown, set }: ContextProps) {
  const menus = [
    { key: 'release', label: 'Release', any: 'Any release', values: shown?.releases ?? [] },
    { key: 'environment', label: 'Environment', any: 'Any environment', values: shown?.environments ?? [] },
    { key: 'country', label: 'Country', any: 'Any country', values: shown?.countries ?? [] },
  ] as const;
  return menus.map(({ key, label, any, values }) => {
    const chosen = filters[key];
    const all = chosen === undefined || values.includes(chosen) ? values : [chosen, ...values];
    if (all.length < 2 && chosen === undefined) return null;
    return (
      <ChoiceMenu
        key={key}
        label={label}
        icon="filter"
        value={chosen ?? ''}
        choices={[{ key: '', label: any }, ...all.map((value) => ({ key: value, label: value }))]}
        onChange={(value) => {
          set({ [key]: value || undefined });
        }}
      />
    );
  });
}
