import '../sessions/sessions.css';
import './performance.css';

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { fetchPages, type PageList, type PageLoads } from '../api/performance';
import { formatCount, formatCountOf } from '../format/number';
import { EmptyState, ErrorState, useNow } from '../ui';
import { Loading } from './EndpointsPage';
import { isFiltered, PAGE_SORTS, readPerformanceFilters, toQuery } from './filters';
import { ChangeOf, NameOf, Trend, VitalValue } from './parts';
import { PerformanceFrame } from './PerformanceFrame';

const VITALS = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] as const;

/** Pages by template, with their web vitals at the 75th percentile. */
export function PagesPage() {
  const { project } = useParams({ from: '/p/$project/pages' });
  const search = useSearch({ from: '/p/$project/pages' });
  const filters = useMemo(() => readPerformanceFilters({ ...search }), [search]);
  const query = toQuery(filters, useNow(60_000), PAGE_SORTS);
  const list = useQuery({
    queryKey: ['pages', project, query],
    queryFn: ({ signal }) => fetchPages(project, query, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  });
  const retry = () => {
    void list.refetch();
  };
  return (
    <PerformanceFrame
      project={project}
      filters={filters}
      sorts={PAGE_SORTS}
      shown={list.data?.window}
      refreshError={list.data ? list.error : null}
    >
      {list.data ? (
        <Body list={list.data} hasFilters={isFiltered(filters)} isStale={list.isPlaceholderData} />
      ) : list.error ? (
        <ErrorState title="Pages could not be loaded" error={list.error} retry={retry} />
      ) : (
        <Loading label="Loading pages" />
      )}
    </PerformanceFrame>
  );
}

function Body({ list, hasFilters, isStale }: { list: PageList; hasFilters: boolean; isStale: boolean }) {
  if (list.pages.length === 0) {
    return (
      <EmptyState icon="gauge" title={hasFilters ? 'No page matches' : 'No pages in this time'}>
        <p>
          {hasFilters
            ? 'Try fewer filters or a longer time.'
            : 'Where processor.request_statistics is on, every page load shows here within seconds.'}
        </p>
      </EmptyState>
    );
  }
  return (
    <div className="sessions-scroll" data-stale={isStale || undefined} tabIndex={-1}>
      <table className="performance-table">
        <thead>
          <tr>
            <th scope="col">Page</th>
            <th scope="col" className="number">
              Loads
            </th>
            {VITALS.map((name) => (
              <th key={name} scope="col" className="number" title="75th percentile">
                {name}
              </th>
            ))}
            <th scope="col" className="number" title="LCP against the same window earlier">
              LCP change
            </th>
            <th scope="col">Trend</th>
          </tr>
        </thead>
        <tbody>
          {list.pages.map((page) => (
            <Row key={page.name} page={page} list={list} />
          ))}
        </tbody>
      </table>
      <div className="sessions-foot">
        {formatCount(list.pages.length)} of {formatCountOf(list.total, 'page')}
      </div>
    </div>
  );
}

function Row({ page, list }: { page: PageLoads; list: PageList }) {
  const vital = (name: string) => page.vitals.find((each) => each.name === name);
  return (
    <tr>
      <th scope="row" className="name" title={page.name}>
        <NameOf name={page.name} />
      </th>
      <td className="number" data-label="Loads">
        {formatCount(page.loads)}
      </td>
      {VITALS.map((name) => (
        <td key={name} className="number" data-label={name}>
          <VitalValue vital={vital(name)} />
        </td>
      ))}
      <td className="number" data-label="LCP change">
        <ChangeOf now={vital('LCP')?.p75 ?? null} before={vital('LCP')?.before_p75 ?? null} more="bad" />
      </td>
      <td data-label="Trend">
        <Trend points={page.trend} shown={list.window} />
      </td>
    </tr>
  );
}
