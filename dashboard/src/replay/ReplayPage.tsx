import './replay.css';
import './timeline/timeline.css';
import './panes/panes.css';

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { asProblem } from '../api/problem';
import { sessionQuery } from '../api/queries';
import { EmptyState, ErrorState, Skeleton } from '../ui';
import { TopBar } from '../shell/TopBar';
import { Recording } from './Recording';
import { useManifest } from './use-manifest';

const LIVE_INTERVAL_MS = 3000;

/** One session: what the person saw, and beside it everything that was noticed. */
export function ReplayPage() {
  const { project, session: sessionId } = useParams({ from: '/p/$project/sessions/$session' });
  const session = useQuery({
    ...sessionQuery(project, sessionId),
    refetchInterval: (query) => (query.state.data?.state === 'live' ? LIVE_INTERVAL_MS : false),
  });
  const manifest = useManifest(project, sessionId);
  const failed = session.data === undefined ? session : manifest.data === undefined ? manifest : null;
  if (failed?.isError === true) {
    const retry = () => {
      void session.refetch();
      void manifest.refetch();
    };
    return <Unavailable project={project} error={failed.error} retry={retry} />;
  }
  if (session.data === undefined || manifest.data === undefined) return <LoadingReplay project={project} />;
  return (
    <Recording
      key={sessionId}
      session={session.data}
      manifest={manifest.data}
      reload={() => {
        void manifest.refetch();
      }}
    />
  );
}

function SessionsCrumb({ project }: { project: string }) {
  return (
    <Link to="/p/$project/sessions" params={{ project }}>
      Sessions
    </Link>
  );
}

function LoadingReplay({ project }: { project: string }) {
  return (
    <div className="replay">
      <TopBar crumbs={[<SessionsCrumb key="sessions" project={project} />, <Skeleton key="name" width="160px" />]} />
      <div className="replay-work" aria-busy="true" aria-label="Loading the session">
        <section className="replay-left">
          <div className="stage-area" />
          <div className="timeline skeleton-lanes">
            {Array.from({ length: 6 }, (_, index) => (
              <Skeleton key={index} />
            ))}
          </div>
        </section>
        <aside className="panes skeleton-lanes">
          {Array.from({ length: 12 }, (_, index) => (
            <Skeleton key={index} width={`${String(90 - ((index * 17) % 40))}%`} />
          ))}
        </aside>
      </div>
    </div>
  );
}

const GONE: Record<string, { title: string; text: string }> = {
  deleted: {
    title: 'This session was deleted',
    text: 'Someone deleted it, or the data of its user. Nothing of it is kept, so it cannot be brought back.',
  },
  expired: {
    title: 'This session has expired',
    text: 'The project’s retention time is over and the recording was removed. Settings says how long sessions are kept.',
  },
  'not-found': {
    title: 'No such session',
    text: 'The link may be cut short, or the session belongs to another project. A session that has just begun shows within five seconds.',
  },
};

function Unavailable({ project, error, retry }: { project: string; error: unknown; retry: () => void }) {
  const gone = GONE[asProblem(error).code];
  const back = (
    <Link to="/p/$project/sessions" params={{ project }} className="btn">
      All sessions
    </Link>
  );
  return (
    <div className="replay">
      <TopBar crumbs={[<SessionsCrumb key="sessions" project={project} />, 'Session']} />
      {gone === undefined ? (
        <ErrorState title="The session could not be loaded" error={error} retry={retry} actions={back} />
      ) : (
        <EmptyState icon="sessions" title={gone.title} actions={back}>
          <p>{gone.text}</p>
        </EmptyState>
      )}
    </div>
  );
}
