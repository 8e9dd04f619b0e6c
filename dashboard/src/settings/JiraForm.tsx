import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { saveJira, type JiraConnection, type JiraHook, type JiraKind } from '../api/jira';
import { asProblem } from '../api/problem';
import { PlaceFields, useJiraFields } from '../jira/PlaceFields';
import { askedKey, jiraQuery } from '../jira/queries';
import { Button, Switch, toast } from '../ui';
import { Field } from './Field';
import { jiraDraftOf, jiraFaults, jiraFormOf, keepsToken, type JiraForm as Form } from './jira-draft';

interface JiraFormProps {
  projectId: string;
  connection: JiraConnection | null;
  onHook: (hook: JiraHook) => void;
}

/** Site, account, what is kept alike, and with what issues are created. */
export function JiraForm({ projectId, connection, onHook }: JiraFormProps) {
  const queries = useQueryClient();
  const [form, setForm] = useState(jiraFormOf(connection));
  const [wasSent, setSent] = useState(false);
  const fields = useJiraFields(projectId, form.place);
  const save = useMutation({
    mutationFn: () => saveJira(projectId, jiraDraftOf(form, connection, fields)),
    onSuccess: ({ connection: saved, hook }) => {
      queries.setQueryData(jiraQuery(projectId).queryKey, saved);
      void queries.invalidateQueries({ queryKey: askedKey(projectId) });
      toast(connection ? 'The connection is saved' : 'Connected: test it, then set up the web hook', 'ok');
      if (hook) onHook(hook);
    },
  });
  const faults = jiraFaults(form, connection);
  const refused = save.error ? asProblem(save.error) : null;
  const faultOf = (name: string) =>
    refused?.field === name ? refused.detail || refused.title : wasSent ? faults[name] : undefined;
  const set = (change: Partial<Form>) => {
    if (save.isError) save.reset();
    setForm({ ...form, ...change });
  };
  const isElsewhere = refused !== null && !['site', 'email', 'token'].includes(refused.field ?? '');
  return (
    <form
      className="settings-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setSent(true);
        if (Object.keys(faults).length === 0) save.mutate();
      }}
    >
      <Account {...{ form, connection, faultOf, set }} />
      <Alike form={form} set={set} />
      {connection && (
        <>
          <h3 className="panel-sub">Issues by rule, and what the dialog begins with</h3>
          <PlaceFields
            project={projectId}
            place={form.place}
            faults={wasSent && faults['issue_type'] ? { issue_type: faults['issue_type'] } : {}}
            onChange={(place) => {
              set({ place });
            }}
          />
        </>
      )}
      {isElsewhere && (
        <p className="form-fault" role="alert">
          {refused.code === 'conflict'
            ? 'Somebody changed the connection while you were editing: reload to see theirs. Nothing of yours was saved.'
            : refused.message}
        </p>
      )}
      <div className="panel-actions">
        <Button kind="primary" type="submit" disabled={save.isPending}>
          {save.isPending ? 'Saving…' : connection ? 'Save connection' : 'Connect Jira'}
        </Button>
      </div>
    </form>
  );
}

interface PartProps {
  form: Form;
  set: (change: Partial<Form>) => void;
}

type AccountProps = PartProps & {
  connection: JiraConnection | null;
  faultOf: (name: string) => string | undefined;
};

function Account({ form, connection, faultOf, set }: AccountProps) {
  const id = useId();
  const isCloud = form.kind === 'cloud';
  return (
    <>
      <div className="settings-field">
        <label htmlFor={id}>Kind of Jira</label>
        <div className="settings-input">
          <select
            id={id}
            className="text-field"
            value={form.kind}
            onChange={(event) => {
              set({ kind: event.target.value as JiraKind });
            }}
          >
            <option value="cloud">Cloud</option>
            <option value="data_center">Data Center</option>
          </select>
        </div>
      </div>
      <Field
        name="site"
        label="Site"
        value={form.site}
        fault={faultOf('site')}
        placeholder={isCloud ? 'https://example.atlassian.net' : 'https://jira.example.com'}
        onChange={(site) => {
          set({ site });
        }}
      >
        Https, on the public network unless the operator allows others.
      </Field>
      {isCloud && (
        <Field
          name="email"
          label="E-mail address of the account"
          value={form.email}
          fault={faultOf('email')}
          placeholder="playhead@example.com"
          onChange={(email) => {
            set({ email });
          }}
        >
          An account of its own is best: what it does is told as its doing.
        </Field>
      )}
      <Field
        name="token"
        label={isCloud ? 'API token' : 'Personal access token'}
        value={form.token}
        fault={faultOf('token')}
        placeholder={connection && keepsToken(form, connection) ? `unchanged: ${connection.token_hint}` : undefined}
        onChange={(token) => {
          set({ token });
        }}
      >
        {isCloud
          ? 'Of id.atlassian.com → Security → API tokens. They expire: set a new one here before.'
          : 'Of the account’s profile → Personal Access Tokens.'}
      </Field>
    </>
  );
}

function Alike({ form, set }: PartProps) {
  return (
    <div className="issue-filters">
      <Switch
        checked={form.syncState}
        onChange={(syncState) => {
          set({ syncState });
        }}
      >
        Keep status alike, both ways
      </Switch>
      <Switch
        checked={form.syncAssignee}
        onChange={(syncAssignee) => {
          set({ syncAssignee });
        }}
      >
        Keep assignees alike, both ways
      </Switch>
      <Switch
        checked={form.comments}
        onChange={(comments) => {
          set({ comments });
        }}
      >
        Comment when a rule triggers again
      </Switch>
    </div>
  );
}
