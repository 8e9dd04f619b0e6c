import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { replaceAlertSettings, type AlertSettings } from '../api/alerts';
import { asProblem } from '../api/problem';
import { Field } from '../settings/Field';
import { LeaveGuard } from '../settings/LeaveGuard';
import { Panel } from '../settings/Panel';
import { SaveBar } from '../settings/SaveBar';
import { ErrorState, toast, toastFailure } from '../ui';
import { AlertsFrame, LoadingRows } from './AlertsFrame';
import { Maintenance } from './Maintenance';
import { alertSettingsQuery } from './queries';
import { messagesFault } from './maintenance-draft';

/** What holds for all alerts of a project: maintenance, and how many messages an hour has. */
export function AlertSettingsPage() {
  const { project } = useParams({ from: '/p/$project/alerts/settings' });
  const settings = useQuery(alertSettingsQuery(project));
  return (
    <AlertsFrame project={project} refreshError={settings.data ? settings.error : null}>
      {settings.data && settings.isFetchedAfterMount ? (
        <div className="sessions-scroll alert-settings" tabIndex={-1}>
          <Form key={settings.data.version} project={project} known={settings.data} />
        </div>
      ) : settings.error === null ? (
        <LoadingRows label="Loading settings" />
      ) : (
        <ErrorState title="Settings could not be loaded" error={settings.error} retry={() => void settings.refetch()} />
      )}
    </AlertsFrame>
  );
}

function Form({ project, known }: { project: string; known: AlertSettings }) {
  const queries = useQueryClient();
  const [maintenance, setMaintenance] = useState(known.maintenance);
  const [messages, setMessages] = useState(String(known.messages_per_hour));
  const isChanged = messages !== String(known.messages_per_hour) || maintenance !== known.maintenance;
  const save = useMutation({
    mutationFn: () =>
      replaceAlertSettings(project, { version: known.version, maintenance, messages_per_hour: Number(messages) }),
    onSuccess: (saved) => {
      queries.setQueryData(alertSettingsQuery(project).queryKey, saved);
      toast('Settings saved', 'ok');
    },
    onError: (error) => {
      const { code, field } = asProblem(error);
      if (code === 'conflict') {
        toast('Somebody changed these settings meanwhile: nothing was saved. Theirs are shown now.', 'error');
        void queries.invalidateQueries({ queryKey: alertSettingsQuery(project).queryKey });
      } else if (field === null) toastFailure('Settings could not be saved')(error);
    },
  });
  const refused = save.error ? asProblem(save.error) : null;
  const fault = messagesFault(messages) ?? (refused?.field === 'messages_per_hour' ? refused.detail : undefined);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (messagesFault(messages) === undefined) save.mutate();
      }}
    >
      <Panel id="maintenance" title="Maintenance" about="What fires meanwhile is listed, and nobody is told of it.">
        <Maintenance spans={maintenance} onChange={setMaintenance} />
        {refused?.field === 'maintenance' && (
          <p className="form-fault" role="alert">
            {refused.detail}
          </p>
        )}
      </Panel>
      <Panel id="messages" title="Messages">
        <div className="settings-form">
          <Field
            name="messages_per_hour"
            label="At most"
            unit="an hour"
            value={messages}
            fault={fault}
            onChange={setMessages}
          >
            Of all rules together. A quarter is kept for what is of high priority; what is more is told in one message
            at the end of the hour.
          </Field>
        </div>
      </Panel>
      {isChanged && (
        <SaveBar
          isSaving={save.isPending}
          isBlocked={messagesFault(messages) !== undefined}
          onDiscard={() => {
            setMaintenance(known.maintenance);
            setMessages(String(known.messages_per_hour));
          }}
        />
      )}
      <LeaveGuard isChanged={isChanged && !save.isSuccess} />
    </form>
  );
}
