import { Link } from '@tanstack/react-router';
import { createColumnHelper, tableFeatures } from '@tanstack/react-table';
import type { Session } from '../api/model';
import { formatDuration, formatPosition } from '../format/duration';
import { formatCount, formatCountOf } from '../format/number';
import { countryName, cutMiddle, pathOf, productName } from '../format/text';
import { Chip, ReplayChip, Time } from '../ui';
import { ActivityStrip } from './ActivityStrip';
import type { Pane } from '../replay/use-replay-view';
import type { SessionFilters } from './filters';

export const features = tableFeatures({});
const column = createColumnHelper<typeof features, Session>();

/** Who it was, in a few words: e-mail, id, or that it is not known. */
export const visitorName = (session: Session): string => session.user?.email ?? session.user?.id ?? 'Anonymous';

/** Where a session is opened: at what the list was filtered by. */
function searchOf({ issue, errors, failed }: SessionFilters): { pane?: Pane; issue?: string } {
  if (issue !== undefined) return { pane: 'errors', issue };
  if (errors) return { pane: 'errors' };
  return failed ? { pane: 'network' } : {};
}

function Visitor({ session, filters }: { session: Session; filters: SessionFilters }) {
  const entry = session.entry_page === null ? null : pathOf(session.entry_page);
  const exit = session.exit_page === null ? null : pathOf(session.exit_page);
  const pages =
    entry !== null && exit !== null && entry !== exit ? `${cutMiddle(entry, 40)} → ${cutMiddle(exit, 40)}` : entry;
  return (
    <>
      <Link
        to="/p/$project/sessions/$session"
        params={{ project: session.project_id, session: session.id }}
        search={searchOf(filters)}
        className={`session-link ell ${session.user ? '' : 'anonymous'}`}
        data-session={session.id}
      >
        {visitorName(session)}
        <span className="session-short-id mono">{session.id.slice(0, 8)}</span>
      </Link>
      <span className={pages === null ? 'sub ell' : 'sub mono ell'} title={session.pages.join('\n')}>
        {pages ?? 'no page known'}
        {session.page_count > 2 && <span className="muted"> · {formatCountOf(session.page_count, 'page')}</span>}
      </span>
    </>
  );
}

/** Opens the session at the first of its errors or failed requests. */
function TroubleLink({ session, pane, children }: { session: Session; pane: Pane; children: string }) {
  return (
    <Link
      to="/p/$project/sessions/$session"
      params={{ project: session.project_id, session: session.id }}
      search={{ pane }}
      className="trouble-link"
      title={pane === 'errors' ? 'Open at the first error' : 'Open at the first failed request'}
    >
      <Chip tone="error">{children}</Chip>
    </Link>
  );
}

function Trouble({ session }: { session: Session }) {
  const { counts } = session;
  const { errors, failed_requests: failed, slow_requests: slow, rage_clicks: rage, dead_clicks: dead } = counts;
  const frustration = rage + dead;
  if (errors + failed + slow + frustration === 0) return <span className="muted">–</span>;
  return (
    <>
      {errors > 0 && (
        <TroubleLink session={session} pane="errors">
          {formatCountOf(errors, 'error')}
        </TroubleLink>
      )}
      {failed > 0 && (
        <TroubleLink session={session} pane="network">
          {`${formatCount(failed)} failed`}
        </TroubleLink>
      )}
      {slow > 0 && <Chip tone="warn">{formatCount(slow)} slow</Chip>}
      {frustration > 0 && (
        <Chip tone="frustration" title={`${formatCountOf(rage, 'rage click')}, ${formatCountOf(dead, 'dead click')}`}>
          {rage > 0 ? `${formatCount(rage)} rage` : `${formatCount(dead)} dead`}
          {rage > 0 && dead > 0 ? ` · ${formatCount(dead)} dead` : ''}
        </Chip>
      )}
    </>
  );
}

function Client({ session }: { session: Session }) {
  const browser = productName(session.browser);
  const os = session.os.name;
  return (
    <>
      <span className="ell" title={session.user_agent ?? undefined}>
        {browser ?? 'Unknown browser'}
      </span>
      <span className="sub ell">
        {[os, session.device === 'desktop' ? null : session.device].filter(Boolean).join(' · ') || '–'}
      </span>
    </>
  );
}

/** The table's columns. The filters decide what a row opens: in error mode, the errors. */
export const createColumns = (filters: SessionFilters) =>
  column.columns([
    column.display({
      id: 'visitor',
      header: 'Session',
      cell: ({ row }) => <Visitor session={row.original} filters={filters} />,
    }),
    column.display({
      id: 'activity',
      header: 'Activity',
      cell: ({ row }) => (
        <>
          <ActivityStrip activity={row.original.activity} />
          <span className="hidden-text">{formatCountOf(row.original.counts.events, 'event')}</span>
        </>
      ),
    }),
    column.display({
      id: 'duration',
      header: 'Duration',
      cell: ({ row }) => (
        <span title={formatDuration(row.original.duration_ms)}>{formatPosition(row.original.duration_ms)}</span>
      ),
    }),
    column.display({
      id: 'trouble',
      header: 'Trouble',
      cell: ({ row }) => <Trouble session={row.original} />,
    }),
    column.display({ id: 'client', header: 'Browser', cell: ({ row }) => <Client session={row.original} /> }),
    column.display({
      id: 'country',
      header: 'Country',
      cell: ({ row }) => {
        const code = row.original.country;
        return code === null ? <span className="muted">–</span> : <span title={countryName(code)}>{code}</span>;
      },
    }),
    column.display({
      id: 'release',
      header: 'Release',
      cell: ({ row }) => (
        <span className="mono ell" title={row.original.release ?? undefined}>
          {row.original.release ?? <span className="muted">–</span>}
        </span>
      ),
    }),
    column.display({
      id: 'started',
      header: 'Started',
      cell: ({ row }) => (
        <>
          <span className="ell">
            <Time at={row.original.started_at} relative />
          </span>
          <span className="sub ell">
            <Time at={row.original.started_at} />
          </span>
        </>
      ),
    }),
    column.display({
      id: 'replay',
      header: 'Replay',
      cell: ({ row: { original } }) => (
        <ReplayChip state={original.replay} reasons={original.replay_reasons} lastHeard={original.ended_at} />
      ),
    }),
  ]);
