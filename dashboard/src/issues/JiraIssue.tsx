import '../jira/jira.css';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { refreshJiraIssue, unlinkJiraIssue, type JiraCategory, type JiraIssue as Linked } from '../api/jira';
import { jiraStateQuery } from '../jira/queries';
import { Button, Chip, Icon, Skeleton, Time, toast, toastFailure, type Tone } from '../ui';
import { CreateJiraDialog } from './CreateJiraDialog';

const REFRESH_INTERVAL_MS = 10_000;
const TONES: Record<JiraCategory, Tone> = { to_do: 'neutral', in_progress: 'info', done: 'ok', unknown: 'neutral' };

/** The Jira issue of an issue: what it is there, or how to create it. */
export function JiraIssue({ project, issue }: { project: string; issue: string }) {
  const state = useQuery({ ...jiraStateQuery(project, issue), refetchInterval: REFRESH_INTERVAL_MS });
  const [isCreating, setCreating] = useState(false);
  if (state.isPending) return <Skeleton width="120px" />;
  if (!state.data) {
    return (
      <p className="jira-line" role="alert">
        <span className="form-fault">The Jira issue could not be loaded.</span>
        <Button onClick={() => void state.refetch()}>Try again</Button>
      </p>
    );
  }
  const { connected, fault, issue: linked, unsure } = state.data;
  return (
    <>
      {linked ? (
        <LinkedIssue project={project} issue={issue} linked={linked} isConnected={connected} />
      ) : connected ? (
        <p className="jira-line">
          <Button
            onClick={() => {
              setCreating(true);
            }}
          >
            <Icon name="plus" small /> Create Jira issue
          </Button>
          {unsure && (
            <span className="muted-text">
              Jira did not answer the last time: trying again looks first whether it is there.
            </span>
          )}
        </p>
      ) : (
        <p className="muted-text">
          Not connected to Jira.{' '}
          <Link to="/p/$project/settings" params={{ project }} hash="jira">
            Connect it in the settings
          </Link>
        </p>
      )}
      {fault !== null && (
        <p className="jira-fault" role="alert">
          <Icon name="alert" small />
          <span>
            {fault}.{' '}
            <Link to="/p/$project/settings" params={{ project }} hash="jira">
              Settings
            </Link>
          </span>
        </p>
      )}
      {isCreating && (
        <CreateJiraDialog
          project={project}
          issue={issue}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </>
  );
}

interface LinkedIssueProps {
  project: string;
  issue: string;
  linked: Linked;
  isConnected: boolean;
}

function LinkedIssue({ project, issue, linked, isConnected }: LinkedIssueProps) {
  const queries = useQueryClient();
  const { queryKey } = jiraStateQuery(project, issue);
  const refresh = useMutation({
    mutationFn: () => refreshJiraIssue(project, issue),
    onSuccess: (state) => {
      queries.setQueryData(queryKey, state);
      void queries.invalidateQueries({ queryKey: ['issue', project] });
    },
    onError: toastFailure('Jira was not read'),
  });
  const unlink = useMutation({
    mutationFn: () => unlinkJiraIssue(project, issue),
    onSuccess: () => {
      toast(`${linked.key} is not linked any more; it stays in Jira`, 'ok');
      void queries.invalidateQueries({ queryKey });
    },
    onError: toastFailure('The Jira issue was not unlinked'),
  });
  return (
    <>
      <p className="jira-line">
        <JiraChip linked={linked} />
        {linked.assignee !== null && <span className="muted">{linked.assignee}</span>}
        {linked.pending && <span className="muted-text">telling Jira…</span>}
        <span className="muted-text">
          read <Time at={linked.checked_at} relative />
        </span>
        <span className="grow" />
        {isConnected && (
          <Button
            kind="ghost"
            disabled={refresh.isPending}
            onClick={() => {
              refresh.mutate();
            }}
          >
            {refresh.isPending ? 'Reading…' : 'Read again'}
          </Button>
        )}
        <Button
          kind="ghost"
          disabled={unlink.isPending}
          onClick={() => {
            unlink.mutate();
          }}
        >
          Unlink
        </Button>
      </p>
      {linked.fault !== null && (
        <p className="jira-fault" role="status">
          <Icon name="alert" small />
          <span>{linked.fault}</span>
        </p>
      )}
    </>
  );
}

/** `SHOP-7 In Progress`, leading there. */
export function JiraChip({ linked }: { linked: Linked }) {
  const status = linked.gone ? 'gone' : (linked.status ?? 'status not known');
  const chip = (
    <Chip tone={linked.gone ? 'warn' : TONES[linked.category]} title={`Jira issue, ${status}`}>
      <span className="mono">{linked.key}</span> {status}
    </Chip>
  );
  if (linked.gone) return chip;
  return (
    <a className="plain-link" href={linked.url} target="_blank" rel="noreferrer">
      {chip}
    </a>
  );
}
