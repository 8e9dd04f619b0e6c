import '../sessions/sessions.css';
import './performance.css';

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { fetchEndpoints, type Endpoint, type EndpointList } from '../api/performance';
import { formatCount, formatCountOf } from '../format/number';
import { EmptyState, ErrorState, Skeleton, useNow } from '../ui';
import { ENDPOINT_SORTS, isFiltered, readPerformanceFilters, toQuery, type PerformanceFilters } from './filters';
import { ChangeOf, duration, NameOf, share, SplitBar, Trend } from './parts';
import { PerformanceFrame } from './PerformanceFrame';

/** Endpoints by template: how often they are called, fail, and how long they take. */
export function EndpointsPage() {
  const { project } = useParams({ from: '/p/$project/endpoints' });
  const search = useSearch({ from: '/p/$project/endpoints' });
  const filters = useMemo(() => readPerformanceFilters({ ...search }), [search]);
  const query = toQuery(filters, useNow(60_000), ENDPOINT_SORTS);
  const list = useQuery({
    queryKey: ['endpoints', project, query],
    queryFn: ({ signal }) => fetchEndpoints(project, query, signal),
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
      sorts={ENDPOINT_SORTS}
      shown={list.data?.window}
      refreshError={list.data ? list.error : null}
    >
      {list.data ? (
        <Body list={list.data} filters={filters} project={project} isStale={list.isPlaceholderData} />
      ) : list.error ? (
        <ErrorState title="Endpoints could not be loaded" error={list.error} retry={retry} />
      ) : (
        <Loading label="Loading endpoints" />
      )}
    </PerformanceFrame>
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

interface BodyProps {
  list: EndpointList;
  filters: PerformanceFilters;
  project: string;
  isStale: boolean;
}

function Body({ list, filters, project, isStale }: BodyProps) {
  if (list.endpoints.length === 0) {
    return (
      <EmptyState icon="gauge" title={isFiltered(filters) ? 'No endpoint matches' : 'No requests in this time'}>
        <p>
          {isFiltered(filters)
            ? 'Try fewer filters or a longer time.'
            : 'Where processor.request_statistics is on, every fetch and XMLHttpRequest shows here within seconds.'}
        </p>
      </EmptyState>
    );
  }
  return (
    <div className="sessions-scroll" data-stale={isStale || undefined} tabIndex={-1}>
      <table className="performance-table">
        <thead>
          <tr>
            <th scope="col">Endpoint</th>
            <th scope="col" className="number">
              Requests
            </th>
            <th scope="col" className="number">
              Failed
            </th>
            <th scope="col" className="number">
              Apdex
            </th>
            <th scope="col" className="number">
              p50
            </th>
            <th scope="col" className="number wide">
              p75
            </th>
            <th scope="col" className="number">
              p95
            </th>
            <th scope="col" className="number wide">
              p99
            </th>
            <th scope="col">Where it goes</th>
            <th scope="col" className="number" title="p95 against the same window earlier">
              p95 change
            </th>
            <th scope="col">Trend</th>
          </tr>
        </thead>
        <tbody>
          {list.endpoints.map((endpoint) => (
            <Row key={endpoint.name} endpoint={endpoint} list={list} filters={filters} project={project} />
          ))}
        </tbody>
      </table>
      <div className="sessions-foot">
        {formatCount(list.endpoints.length)} of {formatCountOf(list.total, 'endpoint')}
      </div>
    </div>
  );
}

function Row({ endpoint, list, filters, project }: Omit<BodyProps, 'isStale'> & { endpoint: Endpoint }) {
  const { durations, before } = endpoint;
  const search = { ...filters, sort: undefined, q: undefined };
  return (
    <tr>
      <th scope="row" className="name">
        <Link
          to="/p/$project/endpoints/$endpoint"
          params={{ project, endpoint: endpoint.name }}
          search={search}
          title={endpoint.name}
        >
          <NameOf name={endpoint.name} />
        </Link>
      </th>
      <td className="number" data-label="Requests">
        {formatCount(endpoint.requests)}
      </td>
      <td
        className={endpoint.failed > 0 ? 'number bad' : 'number'}
        data-label="Failed"
        title={`${formatCount(endpoint.failed)} failed`}
      >
        {share(endpoint.failure_share)}
      </td>
      <td className="number" data-label="Apdex">
        {endpoint.apdex === null ? '–' : endpoint.apdex.toFixed(2)}
      </td>
      <td className="number" data-label="p50">
        {duration(durations.p50_ms)}
      </td>
      <td className="number wide" data-label="p75">
        {duration(durations.p75_ms)}
      </td>
      <td className="number strong" data-label="p95">
        {duration(durations.p95_ms)}
      </td>
      <td className="number wide" data-label="p99">
        {duration(durations.p99_ms)}
      </td>
      <td data-label="Where it goes">
        <SplitBar parts={endpoint.parts} />
      </td>
      <td className="number" data-label="p95 change">
        <ChangeOf now={durations.p95_ms} before={before?.p95_ms ?? null} more="bad" />
      </td>
      <td data-label="Trend">
        <Trend points={endpoint.trend} shown={list.window} />
      </td>
    </tr>
  );
}
