import '../sessions/sessions.css';
import './performance.css';

import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { fetchEndpoints, type Endpoint, type EndpointList } from '../api/performance';
import { formatCount } from '../format/number';
import { ENDPOINT_SORTS, type PerformanceFilters } from './filters';
import { apdex, ChangeOf, duration, NameOf, NumberHead, share, SplitBar, Trend } from './parts';
import { PerformanceFrame } from './PerformanceFrame';
import { KEPT_FRESH, useQuestion } from './use-question';

/** Endpoints by template: how often they are called, fail, and how long they take. */
export function EndpointsPage() {
  const { project } = useParams({ from: '/p/$project/endpoints' });
  const { filters, query } = useQuestion(useSearch({ from: '/p/$project/endpoints' }), ENDPOINT_SORTS);
  const list = useQuery({
    queryKey: ['endpoints', project, query],
    queryFn: ({ signal }) => fetchEndpoints(project, query, signal),
    ...KEPT_FRESH,
  });
  return (
    <PerformanceFrame
      project={project}
      filters={filters}
      sorts={ENDPOINT_SORTS}
      list={list}
      noun="endpoint"
      nothing={{
        title: 'No requests in this time',
        about: 'Every fetch and XMLHttpRequest that a page makes shows here within seconds.',
      }}
      shownOf={({ endpoints }) => endpoints.length}
    >
      {(shown) => <Table list={shown} filters={filters} project={project} />}
    </PerformanceFrame>
  );
}

interface TableProps {
  list: EndpointList;
  filters: PerformanceFilters;
  project: string;
}

function Table({ list, filters, project }: TableProps) {
  return (
    <table className="performance-table">
      <thead>
        <tr>
          <th scope="col">Endpoint</th>
          <NumberHead>Requests</NumberHead>
          <NumberHead>Failed</NumberHead>
          <NumberHead>Apdex</NumberHead>
          <NumberHead>p50</NumberHead>
          <NumberHead wide>p75</NumberHead>
          <NumberHead>p95</NumberHead>
          <NumberHead wide>p99</NumberHead>
          <th scope="col">Where it goes</th>
          <NumberHead title="p95 against the same window earlier">p95 change</NumberHead>
          <th scope="col">Trend</th>
        </tr>
      </thead>
      <tbody>
        {list.endpoints.map((endpoint) => (
          <Row key={endpoint.name} endpoint={endpoint} list={list} filters={filters} project={project} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ endpoint, list, filters, project }: TableProps & { endpoint: Endpoint }) {
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
        {apdex(endpoint.apdex)}
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
