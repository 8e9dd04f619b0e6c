import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import type { PerformanceWindow } from '../api/performance';
import { TopBar } from '../shell/TopBar';
import { ChoiceMenu, NotRefreshed, SearchInput } from '../ui';
import { DEFAULT_RANGE, RANGES, readPerformanceFilters, type PerformanceFilters } from './filters';
import { WindowNotes } from './parts';

interface FrameProps {
  project: string;
  filters: PerformanceFilters;
  sorts: readonly { key: string; label: string }[];
  shown: PerformanceWindow | undefined;
  refreshError: Error | null;
  children: ReactNode;
}

const TYPED_AFTER_MS = 250;

/** Top bar and filters of the lists of endpoints and pages. */
export function PerformanceFrame({ project, filters, sorts, shown, refreshError, children }: FrameProps) {
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
            <WindowNotes shown={shown} />
            <NotRefreshed error={refreshError} />
          </span>
        }
      />
      <div className="filters" role="search">
        <Tabs project={project} filters={filters} />
        <Search
          value={filters.q ?? ''}
          onChange={(q) => {
            set({ q }, true);
          }}
        />
        <ChoiceMenu
          label="Time range"
          icon="clock"
          value={filters.range ?? DEFAULT_RANGE}
          choices={RANGES}
          onChange={(range) => {
            set({ range: range as PerformanceFilters['range'] });
          }}
        />
        <ChoiceMenu
          label="Sort"
          icon="sort"
          value={filters.sort ?? sorts[0]?.key ?? ''}
          choices={sorts}
          onChange={(sort) => {
            set({ sort: sort === sorts[0]?.key ? undefined : sort });
          }}
        />
        <ContextMenus filters={filters} shown={shown} set={set} />
      </div>
      {children}
    </div>
  );
}

function Tabs({ project, filters }: { project: string; filters: PerformanceFilters }) {
  const search = { ...filters, sort: undefined, q: undefined };
  const active = { className: 'on', 'aria-current': 'page' as const };
  const options = { includeSearch: false, exact: true };
  return (
    <span className="tabs">
      <Link
        to="/p/$project/endpoints"
        params={{ project }}
        search={search}
        className="tab"
        activeProps={active}
        activeOptions={options}
      >
        Endpoints
      </Link>
      <Link
        to="/p/$project/pages"
        params={{ project }}
        search={search}
        className="tab"
        activeProps={active}
        activeOptions={options}
      >
        Pages
      </Link>
    </span>
  );
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => {
      onChange(typed);
    }, TYPED_AFTER_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed, value, onChange]);
  return (
    <div className="filter-search">
      <SearchInput value={typed} onChange={setTyped} label="Filter by name" placeholder="Filter by path…" />
    </div>
  );
}

interface ContextProps {
  filters: PerformanceFilters;
  shown: PerformanceWindow | undefined;
  set: (patch: PerformanceFilters) => void;
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
