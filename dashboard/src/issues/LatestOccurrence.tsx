import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { IssueDetail, Occurrence, OccurrenceReplay } from '../api/issues';
import { asProblem } from '../api/problem';
import { sessionQuery, stackQuery } from '../api/queries';
import { ErrorStacks, stackAsText } from '../replay/panes/ErrorDetail';
import { EventRow } from '../replay/panes/EventRow';
import { ISSUE_LEAD_MS, issueOf, type Moment, text } from '../replay/moments';
import { useEvents } from '../replay/use-events';
import { Panel } from '../settings/Panel';
import { idsOf } from './queries';
import { Button, Chip, CopyButton, Icon, ReplayChip, Skeleton, Time } from '../ui';

interface LatestProps {
  issue: IssueDetail;
  project: string;
}

/** The newest occurrence: its stack, and what happened before it. */
export function LatestOccurrence({ issue, project }: LatestProps) {
  if (issue.latest === null) {
    return (
      <Panel id="stack" title="Stack">
        <p className="muted">No session with this issue is kept any more, so that its stack is not known.</p>
      </Panel>
    );
  }
  return <Latest issue={issue} project={project} latest={issue.latest} />;
}

function Latest({ issue, project, latest }: LatestProps & { latest: Occurrence }) {
  const events = useEvents(project, latest.session, false);
  const error = useMemo(() => findError(events.moments, idsOf(issue), latest), [events.moments, issue, latest]);
  if (events.error !== null) return <Gone error={events.error} retry={events.retry} />;
  if (events.loading) {
    return (
      <Panel id="stack" title="Stack">
        <div className="skeleton-rows" aria-busy="true">
          {[80, 62, 70].map((width) => (
            <Skeleton key={width} width={`${String(width)}%`} />
          ))}
        </div>
      </Panel>
    );
  }
  if (error === null) {
    return (
      <Panel id="stack" title="Stack">
        <p className="muted">The error is not among the events of its session that are kept.</p>
      </Panel>
    );
  }
  return (
    <>
      {error.kind === 'request' ? (
        <RequestPanel error={error} latest={latest} project={project} />
      ) : (
        <StackPanel error={error} latest={latest} project={project} />
      )}
      <Trail moments={events.moments} error={error} session={latest.session} project={project} />
    </>
  );
}

/** The event by its id; else the last error of the issue, as the session may have been read anew since. */
function findError(moments: readonly Moment[], issues: readonly string[], latest: Occurrence): Moment | null {
  const exact = moments.find((moment) => moment.id === latest.event);
  const isOne = ({ kind, data }: Moment) =>
    (kind === 'error' || kind === 'request') && issues.includes(issueOf(data) ?? '');
  return exact ?? moments.findLast(isOne) ?? null;
}

function StackPanel({ error, latest, project }: { error: Moment; latest: Occurrence; project: string }) {
  const asked = useQuery(stackQuery(project, latest.session, error.id));
  const copied = stackAsText(error.data, asked.data);
  return (
    <Panel
      id="stack"
      title="Stack"
      aside={
        <>
          <span className="muted">
            latest, <Time at={latest.time_ms} relative />
          </span>
          <Replay project={project} latest={latest} />
          <CopyButton text={`${error.label}: ${error.title}\n${copied}`} label="Copy error and stack" compact />
          <ReplayLink project={project} session={latest.session} error={error} />
        </>
      }
    >
      <p className="error-title">
        {error.label}: {error.title}
      </p>
      <ErrorStacks project={project} moment={error} asked={asked} />
    </Panel>
  );
}

/** A failed request that is an issue has no stack. */
function RequestPanel({ error, latest, project }: { error: Moment; latest: Occurrence; project: string }) {
  const { data } = error;
  const facts = [
    { name: 'Request', value: `${text(data['method']) ?? ''} ${text(data['url']) ?? ''}`.trim() },
    { name: 'Answer', value: String(data['status'] ?? text(data['outcome'])?.replaceAll('_', ' ') ?? 'none') },
  ];
  return (
    <Panel
      id="stack"
      title="Request"
      aside={
        <>
          <span className="muted">
            latest, <Time at={latest.time_ms} relative />
          </span>
          <Replay project={project} latest={latest} />
          <ReplayLink project={project} session={latest.session} error={error} />
        </>
      }
    >
      <dl className="fields">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function ReplayLink({ project, session, error }: { project: string; session: string; error: Moment }) {
  return (
    <Link
      to="/p/$project/sessions/$session"
      params={{ project, session }}
      search={{ t: momentBefore(error), pane: error.kind === 'request' ? 'network' : 'errors' }}
      className="btn primary"
      title="Opens the replay ten seconds before the error"
    >
      <Icon name="play" small />
      Watch the replay
    </Link>
  );
}

/** Where a replay begins that shows how the error came about. */
export const momentBefore = ({ at }: { at: number }): string => String(Math.max(0, Math.round(at - ISSUE_LEAD_MS)));

const TRAIL_LENGTH = 15;
/** Measurements, which no person did and no code meant to tell. */
const NOISE = new Set(['vital', 'long_task', 'identify', 'degraded']);

function Trail({ moments, error, session, project }: LatestTrailProps) {
  const trail = moments.slice(0, moments.indexOf(error)).filter(({ kind }) => !NOISE.has(kind));
  const shown = [...trail.slice(-TRAIL_LENGTH), error];
  return (
    <Panel id="trail" title="What led to it" about="The last events before the error; each opens the replay there.">
      <ul className="trail">
        {shown.map((moment) => (
          <li key={moment.id}>
            <Link
              to="/p/$project/sessions/$session"
              params={{ project, session }}
              search={{ t: String(Math.round(moment.at)), pane: 'events' }}
              className={`row event-row ${moment.tone} ${moment === error ? 'now' : ''}`}
            >
              <EventRow moment={moment} />
            </Link>
          </li>
        ))}
      </ul>
      {trail.length > TRAIL_LENGTH && (
        <p className="muted">
          {trail.length - TRAIL_LENGTH} earlier events are in the{' '}
          <Link to="/p/$project/sessions/$session" params={{ project, session }} search={{ t: '0' }} className="link">
            whole session
          </Link>
        </p>
      )}
    </Panel>
  );
}

interface LatestTrailProps {
  moments: readonly Moment[];
  error: Moment;
  session: string;
  project: string;
}

const REPLAYS: Record<OccurrenceReplay, string> = {
  playable: 'playable',
  recording: 'still recording',
  partial: 'partial',
  none: 'not recorded',
  erased: 'deleted',
  expired: 'expired',
};

/** What waits behind the link: from the session with its reasons, and in one word until that is loaded. */
function Replay({ project, latest }: { project: string; latest: Occurrence }) {
  const session = useQuery(sessionQuery(project, latest.session)).data;
  if (session) {
    return <ReplayChip state={session.replay} reasons={session.replay_reasons} lastHeard={session.ended_at} />;
  }
  return latest.replay && <Chip>{REPLAYS[latest.replay]}</Chip>;
}

const GONE: Record<string, string> = {
  deleted: 'The session of the latest occurrence was deleted.',
  expired: 'The retention time of the latest occurrence’s session is over.',
  'not-found': 'The session of the latest occurrence is not there yet, or no more.',
};

function Gone({ error, retry }: { error: unknown; retry: () => void }) {
  const problem = asProblem(error);
  return (
    <Panel id="stack" title="Stack">
      <p className="muted">{GONE[problem.code] ?? `The latest occurrence could not be loaded: ${problem.message}`}</p>
      <div>
        <Button onClick={retry}>Try again</Button>
      </div>
    </Panel>
  );
}
