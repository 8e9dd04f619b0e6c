import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useId, useState, type ReactNode } from 'react';
import { updateProject } from '../api/endpoints';
import type { Project, ProjectPatch } from '../api/model';
import { asProblem } from '../api/problem';
import { projectsQuery } from '../api/queries';
import { Button, Dialog, Switch, toast, toastFailure } from '../ui';
import { draftOf, readDraft, type DraftField, type SettingsDraft } from './draft';
import { Panel } from './Panel';

type TextField = Exclude<DraftField, 'store_ip'>;

/** What is recorded, for how long, and what is never kept. Nothing changes until it is saved. */
export function RecordingForm({ project }: { project: Project }) {
  const queries = useQueryClient();
  const [draft, setDraft] = useState<SettingsDraft>(() => draftOf(project));
  const { patch, faults } = readDraft(draft, project);
  const save = useMutation({
    mutationFn: (change: ProjectPatch) => updateProject(project.id, change),
    onSuccess: (updated) => {
      queries.setQueryData(projectsQuery.queryKey, (known) =>
        known?.map((candidate) => (candidate.id === updated.id ? updated : candidate)),
      );
      setDraft(draftOf(updated));
      toast('Settings saved. Recorders follow at their next session.', 'ok');
    },
    onError: (error) => {
      if (asProblem(error).field === null) toastFailure('Settings could not be saved')(error);
    },
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
          <div className="save-bar" role="status">
            <span className="grow">Unsaved changes</span>
            <Button
              kind="ghost"
              onClick={() => {
                save.reset();
                setDraft(draftOf(project));
              }}
            >
              Discard
            </Button>
            <Button kind="primary" type="submit" disabled={save.isPending || Object.keys(faults).length > 0}>
              {save.isPending ? 'Saving…' : 'Save'}
            </Button>
          </div>
        )}
      </form>
      <LeaveGuard isChanged={isChanged} />
    </Panel>
  );
}

interface FieldProps {
  name: TextField;
  label: string;
  value: string;
  fault: string | undefined;
  onChange: (value: string) => void;
  unit?: string;
  /** A list, one item a line. */
  lines?: boolean;
  placeholder?: string;
  children?: ReactNode;
}

function Field({ name, label, value, fault, onChange, unit, lines = false, placeholder, children }: FieldProps) {
  const id = useId();
  const shared = {
    id,
    name,
    value,
    placeholder,
    spellCheck: false,
    autoComplete: 'off',
    'aria-invalid': fault !== undefined,
    'aria-describedby': `${id}-about`,
  };
  return (
    <div className="settings-field">
      <label htmlFor={id}>{label}</label>
      <div className="settings-input">
        {lines ? (
          <textarea
            {...shared}
            className="text-field mono"
            rows={Math.min(6, Math.max(2, value.split('\n').length))}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
        ) : (
          <input
            {...shared}
            className={unit === undefined ? 'text-field' : 'text-field short num'}
            inputMode={unit === undefined ? 'text' : 'decimal'}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
        )}
        {unit !== undefined && <span className="muted-text">{unit}</span>}
      </div>
      <p id={`${id}-about`} className={fault === undefined ? 'muted-text' : 'form-fault'}>
        {fault ?? children}
      </p>
    </div>
  );
}

/** Asks before unsaved changes are lost. */
function LeaveGuard({ isChanged }: { isChanged: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => isChanged && current.pathname !== next.pathname,
    enableBeforeUnload: isChanged,
    withResolver: true,
  });
  const isBlocked = blocker.status === 'blocked';
  return (
    <Dialog
      open={isBlocked}
      title="Leave without saving?"
      onClose={() => blocker.reset?.()}
      actions={
        <>
          <Button onClick={() => blocker.reset?.()}>Stay</Button>
          <Button kind="danger" onClick={() => blocker.proceed?.()}>
            Leave
          </Button>
        </>
      }
    >
      <p>Your changes to the settings are not saved.</p>
    </Dialog>
  );
}
