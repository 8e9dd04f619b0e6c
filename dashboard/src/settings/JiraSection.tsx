import '../jira/jira.css';

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { disconnectJira, renewJiraHook, testJira, type JiraConnection, type JiraHook } from '../api/jira';
import { asProblem } from '../api/problem';
import { jiraQuery } from '../jira/queries';
import { Button, CopyButton, Dialog, ErrorState, Icon, Skeleton, Time, toast, toastFailure } from '../ui';
import { JiraForm } from './JiraForm';
import { Panel } from './Panel';

/** The connection to Jira. */
export function JiraSection({ projectId }: { projectId: string }) {
  const connection = useQuery(jiraQuery(projectId));
  const [hook, setHook] = useState<JiraHook | null>(null);
  return (
    <Panel
      id="jira"
      title="Jira"
      about="Create Jira issues by hand or by rule, and keep status and assignee alike. Credentials are kept sealed and never shown."
    >
      {connection.isPending && <Skeleton width="60%" />}
      {connection.isError && connection.data === undefined && (
        <ErrorState
          title="The connection could not be loaded"
          error={connection.error}
          retry={() => void connection.refetch()}
        />
      )}
      {connection.data !== undefined && (
        <>
          {connection.data !== null && connection.data.fault !== null && (
            <p className="jira-fault" role="alert">
              <Icon name="alert" small />
              <span>
                {connection.data.fault}
                {connection.data.fault_at !== null && (
                  <>
                    {' '}
                    (<Time at={connection.data.fault_at} relative />)
                  </>
                )}
              </span>
            </p>
          )}
          <JiraForm
            key={connection.data?.version ?? 0}
            projectId={projectId}
            connection={connection.data}
            onHook={setHook}
          />
          {connection.data && <Connected projectId={projectId} connection={connection.data} onHook={setHook} />}
        </>
      )}
      <HookDialog
        hook={hook}
        onClose={() => {
          setHook(null);
        }}
      />
    </Panel>
  );
}

interface ConnectedProps {
  projectId: string;
  connection: JiraConnection;
  onHook: (hook: JiraHook) => void;
}

/** What can be done with a connection that is saved. */
function Connected({ projectId, connection, onHook }: ConnectedProps) {
  const queries = useQueryClient();
  const [isLeaving, setLeaving] = useState(false);
  const readAgain = () => queries.invalidateQueries({ queryKey: jiraQuery(projectId).queryKey });
  const test = useMutation({ mutationFn: () => testJira(projectId), onSettled: readAgain });
  const renew = useMutation({
    mutationFn: () => renewJiraHook(projectId),
    onSuccess: (hook) => {
      onHook(hook);
      void readAgain();
    },
    onError: toastFailure('The web hook was not renewed'),
  });
  const leave = useMutation({
    mutationFn: () => disconnectJira(projectId),
    onSuccess: () => {
      setLeaving(false);
      toast('Jira is disconnected', 'ok');
      void queries.invalidateQueries({ queryKey: jiraQuery(projectId).queryKey });
    },
    onError: toastFailure('Jira was not disconnected'),
  });
  return (
    <>
      <div className="jira-line">
        <Button
          disabled={test.isPending}
          onClick={() => {
            test.mutate();
          }}
        >
          {test.isPending ? 'Asking Jira…' : 'Test connection'}
        </Button>
        <Button
          disabled={renew.isPending}
          onClick={() => {
            renew.mutate();
          }}
        >
          New web hook address
        </Button>
        <span className="grow" />
        <Button
          kind="ghost"
          onClick={() => {
            setLeaving(true);
          }}
        >
          Disconnect…
        </Button>
      </div>
      <p role="status" className={test.data?.works ? 'jira-ok' : 'form-fault'}>
        {test.data && test.data.detail}
        {test.error && `Not tested: ${asProblem(test.error).message}`}
      </p>
      <Dialog
        open={isLeaving}
        title="Disconnect Jira?"
        onClose={() => {
          setLeaving(false);
        }}
        actions={
          <>
            <Button
              onClick={() => {
                setLeaving(false);
              }}
            >
              Keep it
            </Button>
            <Button
              kind="danger"
              disabled={leave.isPending}
              onClick={() => {
                leave.mutate();
              }}
            >
              Disconnect
            </Button>
          </>
        }
      >
        <p>
          The credentials for <span className="mono">{connection.site}</span> are forgotten. Jira issues stay as they
          are; nothing is kept alike any more, and rules that create Jira issues fail.
        </p>
      </Dialog>
    </>
  );
}

/** What Jira's web hook needs: shown once. */
function HookDialog({ hook, onClose }: { hook: JiraHook | null; onClose: () => void }) {
  return (
    <Dialog
      open={hook !== null}
      title="Tell Jira where to call"
      onClose={onClose}
      actions={<Button onClick={onClose}>Done</Button>}
    >
      <p>
        In Jira: Settings → System → WebHooks → Create. Events: issue updated, issue deleted. Copy both now: they are
        not shown again.
      </p>
      <p className="key-row">
        <span className="key-name">Address</span>
        <code className="mono ell">{hook?.url}</code>
        <CopyButton compact text={hook?.url ?? ''} label="Copy address" />
      </p>
      <p className="key-row">
        <span className="key-name">Secret</span>
        <code className="mono ell">{hook?.secret}</code>
        <CopyButton compact text={hook?.secret ?? ''} label="Copy secret" />
      </p>
    </Dialog>
  );
}
