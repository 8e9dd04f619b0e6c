import { useState } from 'react';
import type { Project } from '../api/model';
import { asProblem } from '../api/problem';
import { Switch } from '../ui';
import { draftOf, readDraft, type DraftField, type SettingsDraft } from './draft';
import { Field } from './Field';
import { LeaveGuard } from './LeaveGuard';
import { Panel } from './Panel';
import { SaveBar } from './SaveBar';
import { useSave } from './use-save';

type TextField = Exclude<DraftField, 'store_ip'>;

/** What is recorded, for how long, and what is never kept. Nothing changes until it is saved. */
export function RecordingForm({ project }: { project: Project }) {
  const [draft, setDraft] = useState<SettingsDraft>(() => draftOf(project));
  const { patch, faults } = readDraft(draft, project);
  const save = useSave(project, 'Settings saved. Recorders follow at their next session.', (updated) => {
    setDraft(draftOf(updated));
  });
  const isChanged = Object.keys(patch).length + Object.keys(faults).length > 0;
  const refused = save.error ? asProblem(save.error) : null;
  const fault = (field: DraftField) =>
    faults[field] ?? (refused?.field === field ? refused.detail || refused.title : undefined);
  const set = (change: Partial<SettingsDraft>) => {
    if (save.isError) save.reset();
    setDraft({ ...draft, ...change });
  };
  const field = (name: TextField) => ({
    name,
    value: draft[name],
    fault: fault(name),
    onChange: (value: string) => {
      set({ [name]: value });
    },
  });
  return (
    <Panel
      id="recording"
      title="Recording and privacy"
      about="Inputs are always masked; these settings cannot loosen that."
    >
      <form
        className="settings-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (Object.keys(faults).length === 0 && isChanged) save.mutate(patch);
        }}
      >
        <Field {...field('name')} label="Project name" />
        <Field {...field('sample_rate')} label="Recorded sessions" unit="%">
          Share of sessions whose pages are recorded.
        </Field>
        <Field {...field('on_error_sample_rate')} label="…once an error happens" unit="%">
          Share of the others whose last 60 seconds are sent when an error happens, and everything after it.
        </Field>
        <Field {...field('signal_sample_rate')} label="Sessions with events" unit="%">
          Share of sessions whose errors, requests, clicks and the like are sent.
        </Field>
        <Field {...field('retention_days')} label="Retention" unit="days">
          After that, rows and recordings are gone. Counts for what arrives from now on.
        </Field>
        <Field {...field('slow_request_ms')} label="Slow request" unit="ms">
          Requests that take longer are marked as slow.
        </Field>
        <Field
          {...field('endpoint_templates')}
          label="Names of endpoints and pages"
          lines
          placeholder="/products/{product}/reviews"
        >
          Paths that these fit are called so, one a line, the first that fits: {'{name}'} is any segment, * one that
          stays as it is, ** at the end all that follows. Counts for what was measured before, too.
        </Field>
        <Field {...field('allowed_origins')} label="Allowed origins" lines placeholder="https://shop.example">
          One a line, such as https://*.shop.example. Empty: every origin may send.
        </Field>
        <Field {...field('image_hosts')} label="Image hosts" lines placeholder="cdn.shop.example">
          Hosts from which replays may load images, without referrer. Empty: images are left out.
        </Field>
        <Field
          {...field('network_bodies')}
          label="Network bodies"
          lines
          placeholder="https://api.shop.example/orders/*"
        >
          Requests whose bodies may be recorded, one pattern a line. Empty: none.
        </Field>
        <div className="settings-switch">
          <Switch
            checked={draft.store_ip}
            onChange={(checked) => {
              set({ store_ip: checked });
            }}
          >
            Store IP addresses
          </Switch>
          <p className="muted-text">Off: the address only tells the country and is then dropped.</p>
        </div>
        {isChanged && (
          <SaveBar
            isSaving={save.isPending}
            isBlocked={Object.keys(faults).length > 0}
            onDiscard={() => {
              save.reset();
              setDraft(draftOf(project));
            }}
          />
        )}
      </form>
      <LeaveGuard isChanged={isChanged} />
    </Panel>
  );
}
