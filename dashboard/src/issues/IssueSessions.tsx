import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { fetchSessions } from '../api/endpoints';
import type { IssueDetail } from '../api/issues';
import type { Session } from '../api/model';
import { asProblem } from '../api/problem';
import { formatDuration } from '../format/duration';
import { formatCountOf } from '../format/number';
import { cutMiddle, pathOf, productName } from '../format/text';
import { ISSUE_LEAD_MS } from '../replay/moments';
import { visitorName } from '../sessions/columns';
import { Panel } from '../settings/Panel';
import { isRequest } from './parts';
import { Button, ReplayChip, Skeleton, Time } from '../ui';

const PAGE_SIZE = 10;
const PAGE_LENGTH = 48;

/** Every session that hit it, the newest first; a row opens the replay ten seconds before the error. */
export function IssueSessions({ issue, project }: { issue: IssueDetail; project: string }) {
  const pages = useInfiniteQuery({
    queryKey: ['issue-sessions', project, issue.id],
    queryFn: ({ pageParam, signal }) =>
      fetchSessions(project, { issue: issue.id, limit: PAGE_SIZE, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const sessions = pages.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel
      id="sessions"
      title="Sessions"
      about="Each opens ten seconds before its error."
      aside={
        <Link to="/p/$project/sessions" params={{ project }} search={{ issue: issue.id }} className="btn">
          All {formatCountOf(issue.sessions, 'session')}
        </Link>
      }
    >
      {pages.isPending && (
        <div className="skeleton-rows" aria-busy="true">
          {[70, 84, 60].map((width) => (
            <Skeleton key={width} width={`${String(width)}%`} />
          ))}
        </div>
      )}
      {pages.isError && !pages.data && (
        <div role="alert">
          <p>The sessions could not be loaded: {asProblem(pages.error).message}</p>
          <Button onClick={() => void pages.refetch()}>Try again</Button>
        </div>
      )}
      {pages.isSuccess && sessions.length === 0 && !pages.hasNextPage && (
        <p className="muted">None of its sessions is kept: they were deleted, or their retention time is over.</p>
      )}
      <ul className="issue-sessions">
        {sessions.map((session) => (
          <li key={session.id}>
            <SessionRow session={session} issue={issue} />
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <div>
          <Button disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {pages.isFetchingNextPage ? 'Loading…' : 'Show more'}
          </Button>
        </div>
      )}
    </Panel>
  );
}

function SessionRow({ session, issue }: { session: Session; issue: IssueDetail }) {
  const page = session.exit_page ?? session.entry_page;
  return (
    <div className="issue-session">
      <div className="grow ell">
        <Link
          to="/p/$project/sessions/$session"
          params={{ project: session.project_id, session: session.id }}
          search={searchOf(session, issue)}
          className="issue-session-link strong"
          title="Opens the replay ten seconds before the error"
        >
          {visitorName(session)}
        </Link>
        <span className="sub mono ell">{page === null ? 'no page known' : cutMiddle(pathOf(page), PAGE_LENGTH)}</span>
      </div>
      <span className="issue-session-client ell">
        {productName(session.browser) ?? 'Unknown browser'}
        <span className="sub ell">{session.release ?? session.os.name ?? '–'}</span>
      </span>
      <span className="issue-session-when ell">
        <Time at={session.started_at} relative />
        <span className="sub">{formatDuration(session.duration_ms)}</span>
      </span>
      <ReplayChip state={session.replay} reasons={session.replay_reasons} lastHeard={session.ended_at} />
    </div>
  );
}

/** The latest occurrence's moment is known; the replay finds that of any other session by the issue's id. */
function searchOf(session: Session, issue: IssueDetail): Record<string, string> {
  const { id, latest } = issue;
  const pane = isRequest(issue) ? 'network' : 'errors';
  if (latest === null || latest.session !== session.id) return { pane, issue: id };
  const at = Math.max(0, Math.round(latest.time_ms - session.started_at - ISSUE_LEAD_MS));
  return { pane, t: String(at) };
}
