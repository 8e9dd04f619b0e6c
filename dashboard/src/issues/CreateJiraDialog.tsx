import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { createJiraIssue, type JiraConnection } from '../api/jira';
import { asProblem } from '../api/problem';
import { NO_PLACE, type Place } from '../jira/place';
import { PlaceFields, useJiraFields } from '../jira/PlaceFields';
import { jiraQuery, jiraStateQuery } from '../jira/queries';
import { fieldFaults, textsOf, valuesOf } from '../jira/values';
import { Button, Dialog, ErrorState, Skeleton, toast } from '../ui';

interface CreateJiraDialogProps {
  project: string;
  issue: string;
  onClose: () => void;
}

/** Asks for what Jira requires, beginning with the connection's defaults, and creates the Jira issue. */
export function CreateJiraDialog({ project, issue, onClose }: CreateJiraDialogProps) {
  const connection = useQuery(jiraQuery(project));
  return (
    <Dialog open title="Create a Jira issue" onClose={onClose}>
      {connection.isPending && <Skeleton width="70%" />}
      {connection.isError && !connection.data && (
        <ErrorState
          title="The connection could not be loaded"
          error={connection.error}
          retry={() => void connection.refetch()}
        />
      )}
      {connection.data && <CreateForm {...{ project, issue, onClose }} connection={connection.data} />}
    </Dialog>
  );
}

const placeOf = ({ defaults }: JiraConnection): Place =>
  defaults ? { project: defaults.project, issueType: defaults.issue_type, texts: textsOf(defaults.fields) } : NO_PLACE;

function CreateForm({ project, issue, onClose, connection }: CreateJiraDialogProps & { connection: JiraConnection }) {
  const queries = useQueryClient();
  const [place, setPlace] = useState(placeOf(connection));
  const [wasSent, setSent] = useState(false);
  const fields = useJiraFields(project, place);
  const create = useMutation({
    mutationFn: () =>
      createJiraIssue(project, issue, {
        project: place.project,
        issue_type: place.issueType,
        fields: valuesOf(fields ?? [], place.texts),
      }),
    onSuccess: (state) => {
      queries.setQueryData(jiraStateQuery(project, issue).queryKey, state);
      void queries.invalidateQueries({ queryKey: ['issue', project] });
      toast(`${state.issue?.key ?? 'A Jira issue'} created`, 'ok');
      onClose();
    },
    onError: () => {
      void queries.invalidateQueries({ queryKey: jiraStateQuery(project, issue).queryKey });
    },
  });
  const own: Record<string, string> = {
    ...(place.project === '' && { project: 'must be chosen' }),
    ...(place.project !== '' && place.issueType === '' && { issue_type: 'must be chosen' }),
    ...fieldFaults(fields ?? [], place.texts),
  };
  const refused = create.error ? asProblem(create.error) : null;
  const faults = { ...(wasSent ? own : {}), ...refused?.fields };
  const isElsewhere =
    refused !== null && !Object.keys(refused.fields).some((id) => fields?.some((one) => one.id === id));
  return (
    <form
      className="settings-form jira-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setSent(true);
        if (fields !== undefined && Object.keys(own).length === 0) create.mutate();
      }}
    >
      <p className="muted-text">
        It gets the title, the line that failed, counts, and a link to the replay from ten seconds before the error.
      </p>
      <PlaceFields
        project={project}
        place={place}
        faults={faults}
        onChange={(changed) => {
          if (create.isError) create.reset();
          setPlace(changed);
        }}
      />
      {isElsewhere && (
        <p className="form-fault" role="alert">
          {refused.message}
        </p>
      )}
      <div className="assign-actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" disabled={create.isPending}>
          {create.isPending ? 'Creating…' : 'Create Jira issue'}
        </Button>
      </div>
    </form>
  );
}
