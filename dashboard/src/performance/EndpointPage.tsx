import '../sessions/sessions.css';
import './performance.css';

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { fetchEndpoint, type Compared, type EndpointDetail, type HistogramBucket } from '../api/performance';
import { asProblem } from '../api/problem';
import { formatDuration } from '../format/duration';
import { formatBytes, formatCount } from '../format/number';
import { TopBar } from '../shell/TopBar';
import { ErrorState, NotRefreshed } from '../ui';
import { ENDPOINT_SORTS, readPerformanceFilters, type PerformanceFilters } from './filters';
import {
  apdex,
  ChangeOf,
  duration,
  NameOf,
  NumberHead,
  PARTS,
  SampleButton,
  share,
  SplitBar,
  Trend,
  WindowNotes,
} from './parts';
import { ContextMenus, Loading, RangeMenu } from './PerformanceFrame';
import { KEPT_FRESH, useQuestion } from './use-question';

/** One endpoint: how long it takes and where, how it fails, which release changed it, and sessions that show it. */
export function EndpointPage() {
  const { project, endpoint } = useParams({ from: '/p/$project/endpoints/$endpoint' });
  const navigate = useNavigate();
  const { filters, query } = useQuestion(useSearch({ from: '/p/$project/endpoints/$endpoint' }), ENDPOINT_SORTS);
  const loaded = useQuery({
    queryKey: ['endpoint', project, endpoint, query],
    queryFn: ({ signal }) => fetchEndpoint(project, endpoint, query, signal),
    ...KEPT_FRESH,
  });
  const set = (patch: PerformanceFilters) => {
    void navigate({ to: '.', search: { ...readPerformanceFilters({ ...filters, ...patch }) } });
  };
  const back = (
    <Link key="api" to="/p/$project/endpoints" params={{ project }} search={filters}>
      API
    </Link>
  );
  return (
    <div className="sessions">
      <TopBar
        crumbs={[back, <NameOf key="name" name={endpoint} />]}
        facts={
          <span className="facts">
            <WindowNotes shown={loaded.data?.window} />
            <NotRefreshed error={loaded.data ? loaded.error : null} />
          </span>
        }
      />
      <div className="filters">
        <RangeMenu filters={filters} set={set} />
        <ContextMenus filters={filters} shown={loaded.data?.window} set={set} />
      </div>
      {loaded.data ? (
        <Detail detail={loaded.data} project={project} />
      ) : loaded.error ? (
        <ErrorState
          title={
            asProblem(loaded.error).status === 404
              ? 'No requests to this endpoint in this time'
              : 'The endpoint could not be loaded'
          }
          error={loaded.error}
          retry={() => {
            void loaded.refetch();
          }}
        />
      ) : (
        <Loading label="Loading the endpoint" />
      )}
    </div>
  );
}

function Detail({ detail, project }: { detail: EndpointDetail; project: string }) {
  const { endpoint, window: shown } = detail;
  return (
    <div className="sessions-scroll endpoint" tabIndex={-1}>
      <Figures detail={detail} />
      <Section title="Requests over time">
        <Trend points={endpoint.trend} shown={shown} large />
      </Section>
      <Section title="How long they took" about="Each bar opens a session at such a request.">
        <Histogram buckets={detail.histogram} project={project} />
      </Section>
      <Section title="Where the time goes" about="The mean of the requests of which it is known.">
        <SplitBar parts={endpoint.parts} />
        <PartTable detail={detail} />
      </Section>
      <Section title="How they ended">
        <table className="performance-table small">
          <tbody>
            {detail.statuses.map(({ status, requests, failed }) => (
              <tr key={`${status}-${String(failed)}`}>
                <th scope="row" className={failed ? 'bad' : ''}>
                  {status}
                </th>
                <td className="number">{formatCount(requests)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {detail.failed_sample && (
          <SampleButton project={project} sample={detail.failed_sample}>
            Watch the newest failure
          </SampleButton>
        )}
      </Section>
      <ComparedTable title="Releases" of="Release" rows={detail.releases} />
      <ComparedTable title="Countries" of="Country" rows={detail.countries} />
    </div>
  );
}

function Section({ title, about, children }: { title: string; about?: string; children: ReactNode }) {
  return (
    <section className="endpoint-section">
      <h2>{title}</h2>
      {about && <p className="muted">{about}</p>}
      {children}
    </section>
  );
}

function Figures({ detail: { endpoint } }: { detail: EndpointDetail }) {
  const { durations, before } = endpoint;
  const figures: [string, ReactNode, ReactNode][] = [
    [
      'Requests',
      formatCount(endpoint.requests),
      <ChangeOf key="c" now={endpoint.requests} before={before?.requests ?? null} more="neither" />,
    ],
    [
      'Failed',
      share(endpoint.failure_share),
      <ChangeOf key="c" now={endpoint.failure_share} before={before?.failure_share ?? null} more="bad" />,
    ],
    ['Apdex', apdex(endpoint.apdex), null],
    ['p50', duration(durations.p50_ms), null],
    ['p75', duration(durations.p75_ms), null],
    [
      'p95',
      duration(durations.p95_ms),
      <ChangeOf key="c" now={durations.p95_ms} before={before?.p95_ms ?? null} more="bad" />,
    ],
    ['p99', duration(durations.p99_ms), null],
    ['Mean size', endpoint.mean_bytes === null ? '–' : formatBytes(endpoint.mean_bytes), null],
  ];
  return (
    <dl className="figures">
      {figures.map(([label, value, change]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value} {change}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function rangeOf({ over_ms, up_to_ms }: HistogramBucket): string {
  return up_to_ms === null ? `over ${formatDuration(over_ms)}` : `up to ${formatDuration(up_to_ms)}`;
}

function Histogram({ buckets, project }: { buckets: HistogramBucket[]; project: string }) {
  const most = Math.max(1, ...buckets.map(({ requests }) => requests));
  return (
    <ul className="histogram">
      {buckets.map((bucket) => {
        const bar = (
          <>
            <span className="histogram-range">{rangeOf(bucket)}</span>
            <span className="histogram-track">
              <span style={{ width: `${String((bucket.requests / most) * 100)}%` }} />
            </span>
            <span className="number">{formatCount(bucket.requests)}</span>
          </>
        );
        return (
          <li key={bucket.over_ms + (bucket.up_to_ms === null ? 0.5 : 0)}>
            {bucket.sample ? (
              <SampleButton project={project} sample={bucket.sample} className="histogram-row">
                {bar}
              </SampleButton>
            ) : (
              <span className="histogram-row">{bar}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function PartTable({ detail: { endpoint } }: { detail: EndpointDetail }) {
  return (
    <table className="performance-table small">
      <thead>
        <tr>
          <th scope="col">Part</th>
          <NumberHead>Mean</NumberHead>
          <NumberHead>p95</NumberHead>
          <NumberHead>Known of</NumberHead>
        </tr>
      </thead>
      <tbody>
        {PARTS.map(({ key, label, about }) => (
          <tr key={key}>
            <th scope="row" title={about}>
              <span className={`swatch split-${key}`} /> {label}
            </th>
            <td className="number">
              {endpoint.parts[key].known === 0 ? 'unknown' : duration(endpoint.parts[key].mean_ms)}
            </td>
            <td className="number">{duration(endpoint.parts[key].p95_ms)}</td>
            <td className="number">{formatCount(endpoint.parts[key].known)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ComparedTable({ title, of, rows }: { title: string; of: string; rows: Compared[] }) {
  return (
    <Section title={title}>
      <table className="performance-table small">
        <thead>
          <tr>
            <th scope="col">{of}</th>
            <NumberHead>Requests</NumberHead>
            <NumberHead>Failed</NumberHead>
            <NumberHead>p50</NumberHead>
            <NumberHead>p95</NumberHead>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name}>
              <th scope="row">
                {row.name === '' ? <span className="muted">not known</span> : <NameOf name={row.name} />}
              </th>
              <td className="number">{formatCount(row.requests)}</td>
              <td className="number">{share(row.failure_share)}</td>
              <td className="number">{duration(row.p50_ms)}</td>
              <td className="number">{duration(row.p95_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
