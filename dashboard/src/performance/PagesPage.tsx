import '../sessions/sessions.css';
import './performance.css';

import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { fetchPages, type PageList, type PageLoads } from '../api/performance';
import { formatCount } from '../format/number';
import { PAGE_SORTS } from './filters';
import { ChangeOf, NameOf, NumberHead, Trend, VitalValue } from './parts';
import { PerformanceFrame } from './PerformanceFrame';
import { KEPT_FRESH, useQuestion } from './use-question';

const VITALS = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'] as const;

/** Pages by template, with their web vitals at the 75th percentile. */
export function PagesPage() {
  const { project } = useParams({ from: '/p/$project/pages' });
  const { filters, query } = useQuestion(useSearch({ from: '/p/$project/pages' }), PAGE_SORTS);
  const list = useQuery({
    queryKey: ['pages', project, query],
    queryFn: ({ signal }) => fetchPages(project, query, signal),
    ...KEPT_FRESH,
  });
  return (
    <PerformanceFrame
      project={project}
      filters={filters}
      sorts={PAGE_SORTS}
      list={list}
      noun="page"
      nothing={{
        title: 'No pages in this time',
        about: 'Every page load shows here within seconds.',
      }}
      shownOf={({ pages }) => pages.length}
    >
      {(shown) => <Table list={shown} />}
    </PerformanceFrame>
  );
}

function Table({ list }: { list: PageList }) {
  return (
    <table className="performance-table">
      <thead>
        <tr>
          <th scope="col">Page</th>
          <NumberHead>Loads</NumberHead>
          {VITALS.map((name) => (
            <NumberHead key={name} title="75th percentile">
              {name}
            </NumberHead>
          ))}
          <NumberHead title="LCP against the same window earlier">LCP change</NumberHead>
          <th scope="col">Trend</th>
        </tr>
      </thead>
      <tbody>
        {list.pages.map((page) => (
          <Row key={page.name} page={page} list={list} />
        ))}
      </tbody>
    </table>
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
