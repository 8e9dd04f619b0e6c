import '../replay/panes/panes.css';
import '../settings/settings.css';
import '../sessions/sessions.css';
import './issues.css';

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Issue, IssueDetail } from '../api/issues';
import { asProblem } from '../api/problem';
import { Panel } from '../settings/Panel';
import { TopBar } from '../shell/TopBar';
import { Chip, CopyButton, EmptyState, ErrorState, NotRefreshed, Skeleton } from '../ui';
import { Breakdowns } from './Breakdowns';
import { readIssueFilters } from './filters';
import { Grouping } from './Grouping';
import { History } from './History';
import { IssueActions } from './IssueActions';
import { IssueFacts } from './IssueFacts';
import { IssueSessions } from './IssueSessions';
import { JiraIssue } from './JiraIssue';
import { LatestOccurrence } from './LatestOccurrence';
import { Members } from './Members';
import { decisionOf, isRequest, mechanismOf, Merged, PriorityBar, StateChip } from './parts';
import { issueQuery, useChangeIssues, useDiscardIssues, useListedIssue } from './queries';

const REFRESH_INTERVAL_MS = 5000;

/** One issue: where it breaks, what led to it, whom it hit, and what can be done. */
export function IssuePage() {
  const { project, issue: issueId } = useParams({ from: '/p/$project/issues/$issue' });
  const loaded = useQuery({ ...issueQuery(project, issueId), refetchInterval: REFRESH_INTERVAL_MS });
  const listed = useListedIssue(project, issueId);
  const head = loaded.data ?? listed;
  if (loaded.isError && !loaded.data) {
    const retry = () => {
      void loaded.refetch();
    };
    return (
      <Frame project={project} page="Issue">
        <Unavailable project={project} error={loaded.error} retry={retry} />
      </Frame>
    );
  }
  return (
    <Frame
      project={project}
      page={head?.title ?? <Skeleton width="160px" />}
      facts={<NotRefreshed error={loaded.error} />}
    >
      <div className="issue-scroll">
        {head && <IssueHead issue={head} project={project} />}
        {loaded.data ? <IssueBody issue={loaded.data} project={project} /> : <LoadingBody />}
      </div>
    </Frame>
  );
}

interface FrameProps {
  project: string;
  page: ReactNode;
  facts?: ReactNode;
  children: ReactNode;
}

function Frame({ project, page, facts, children }: FrameProps) {
  const back = (
    <Link key="issues" to="/p/$project/issues" params={{ project }}>
      Issues
    </Link>
  );
  return (
    <div className="issue-page">
      <TopBar crumbs={[back, page]} facts={facts} />
      {children}
    </div>
  );
}

function IssueHead({ issue, project }: { issue: Issue; project: string }) {
  const { change, isPending } = useChangeIssues(project);
  const { discard, isPending: isDiscarding } = useDiscardIssues(project);
  const navigate = useNavigate();
  return (
    <section className="issue-head" aria-label="Issue">
      <div className="issue-head-title">
        <PriorityBar priority={issue.priority} />
        <div className="grow">
          <h2 className="issue-name">
            {issue.title} <CopyButton text={issue.title} label="Copy the title" compact />
          </h2>
          <p className="issue-culprit">
            {issue.culprit === '' ? (
              <span className="muted">No place in the page’s own code is known</span>
            ) : (
              <>
                {isRequest(issue) ? 'on' : 'breaks in'} <span className="mono strong">{issue.culprit}</span>
              </>
            )}
          </p>
          <p className="why">{issue.priority.reason}</p>
        </div>
      </div>
      <div className="issue-head-row">
        <StateChip state={issue.state} />
        {decisionOf(issue) !== null && <span className="muted">{decisionOf(issue)}</span>}
        {!isRequest(issue) && (
          <Chip tone={issue.handled ? 'neutral' : 'error'}>{issue.handled ? 'handled' : 'not handled'}</Chip>
        )}
        {mechanismOf({ ...issue, handled: false }) !== '' && <Chip>{mechanismOf({ ...issue, handled: false })}</Chip>}
        <Chip title={`${String(Math.round(issue.priority.score))} of 100`}>
          {issue.priority.pinned && 'pinned: '}
          {issue.priority.level} priority
        </Chip>
        {issue.merged > 0 && <Merged issue={issue} />}
        {issue.assignee && <Chip tone="accent">{issue.assignee}</Chip>}
        <span className="grow" />
        <div className="issue-actions">
          <IssueActions
            group="Issue"
            issues={[issue]}
            disabled={isPending || isDiscarding}
            onDiscard={(issues) => {
              discard(
                issues.map(({ id }) => id),
                () => void navigate({ to: '/p/$project/issues', params: { project } }),
              );
            }}
            onChange={(issues, wanted) => {
              change(
                issues.map(({ id }) => id),
                wanted,
              );
            }}
          />
        </div>
      </div>
    </section>
  );
}

function IssueBody({ issue, project }: { issue: IssueDetail; project: string }) {
  const search = useSearch({ from: '/p/$project/issues/$issue' });
  const navigate = useNavigate({ from: '/p/$project/issues/$issue' });
  const { span } = readIssueFilters({ ...search });
  return (
    <div className="issue-columns">
      <div className="issue-column">
        <LatestOccurrence issue={issue} project={project} />
        <IssueSessions issue={issue} project={project} />
      </div>
      <div className="issue-column">
        <IssueFacts
          issue={issue}
          span={span}
          setSpan={(next) => {
            void navigate({ to: '.', search: next ? { span: next } : {}, replace: true });
          }}
        />
        <Panel id="jira" title="Jira">
          <JiraIssue project={project} issue={issue.id} />
        </Panel>
        <Breakdowns issue={issue} project={project} />
        <Members issue={issue} project={project} />
        <Grouping parts={issue.components} />
        <History records={issue.history} />
      </div>
    </div>
  );
}

function LoadingBody() {
  return (
    <div className="issue-columns" aria-busy="true" aria-label="Loading the issue" role="status">
      {[0, 1].map((column) => (
        <div className="issue-column" key={column}>
          {Array.from({ length: 3 }, (_, index) => (
            <div className="panel" key={index}>
              <Skeleton width="30%" />
              <Skeleton width={`${String(90 - index * 12)}%`} />
              <Skeleton width={`${String(70 - index * 9)}%`} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

function Unavailable({ project, error, retry }: { project: string; error: unknown; retry: () => void }) {
  const back = (
    <Link to="/p/$project/issues" params={{ project }} className="btn">
      All issues
    </Link>
  );
  const { status } = asProblem(error);
  if (status !== 404 && status !== 410) {
    return <ErrorState title="The issue could not be loaded" error={error} retry={retry} actions={back} />;
  }
  return (
    <EmptyState icon="alert" title="No such issue" actions={back}>
      <p>
        The link may be cut short, the issue belongs to another project or was discarded, or the retention time of its
        last error is over.
      </p>
    </EmptyState>
  );
}
