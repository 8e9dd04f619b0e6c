import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { updateProject } from '../api/endpoints';
import type { Project, ProjectPatch } from '../api/model';
import { asProblem } from '../api/problem';
import { projectsQuery } from '../api/queries';
import { Button, Switch, Time, toast, toastFailure, useNow } from '../ui';
import { DiscardedIssues } from './DiscardedIssues';
import { GroupingRules } from './GroupingRules';
import {
  isSameDraft,
  issueDraftOf,
  issuePatch,
  rebaseDraft,
  type ErrorFilter,
  type FailedRequests,
} from './issue-draft';
import { Panel } from './Panel';

const FILTERS: readonly { key: ErrorFilter; label: string }[] = [
  { key: 'browser_extension', label: 'Leave out what browser extensions throw' },
  { key: 'bot', label: 'Leave out what bots run into' },
  { key: 'localhost', label: 'Leave out pages on localhost' },
];

const REQUESTS: readonly { key: FailedRequests; label: string }[] = [
  { key: 'none', label: 'None' },
  { key: 'server', label: 'Status 500 and above, and no answer' },
  { key: 'all', label: 'Status 400 and above, and no answer' },
];

/** What becomes an issue, and what belongs together. */
export function IssuesForm({ project }: { project: Project }) {
  const queries = useQueryClient();
  const saved = issueDraftOf(project);
  const [known, setKnown] = useState(saved);
  const [draft, setDraft] = useState(saved);
  if (!isSameDraft(saved, known)) {
    // Somebody saved: what they changed must not look like a change of ours, nor be undone by saving.
    setKnown(saved);
    setDraft(rebaseDraft(draft, known, saved));
  }
  const patch = issuePatch(draft, project);
  const isChanged = Object.keys(patch).length > 0;
  const save = useMutation({
    mutationFn: (change: ProjectPatch) => updateProject(project.id, change),
    onSuccess: (updated) => {
      queries.setQueryData(projectsQuery.queryKey, (known) =>
        known?.map((candidate) => (candidate.id === updated.id ? updated : candidate)),
      );
      setDraft(issueDraftOf(updated));
      toast('Saved. It counts for what is received a minute from now.', 'ok');
    },
    onError: (error) => {
      if (asProblem(error).field === null) toastFailure('Settings could not be saved')(error);
    },
  });
  const set = (change: Partial<typeof draft>) => {
    if (save.isError) save.reset();
    setDraft({ ...draft, ...change });
  };
  const refused = save.error ? asProblem(save.error) : null;
  return (
    <Panel
      id="issues"
      title="Issues"
      about="What becomes an issue, and which errors are one. Changes count for what is received from a minute later on; issues that are there stay as they are."
    >
      <form
        className="settings-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (isChanged) save.mutate(patch);
        }}
      >
        <RequestsField
          value={draft.failed_requests}
          onChange={(failed_requests) => {
            set({ failed_requests });
          }}
        />
        <CriticalPages
          value={draft.criticalPages}
          fault={refused?.field === 'critical_pages' ? refused.detail : null}
          onChange={(criticalPages) => {
            set({ criticalPages });
          }}
        />
        <div className="issue-filters">
          {FILTERS.map(({ key, label }) => (
            <Switch
              key={key}
              checked={!draft.filtersOff.includes(key)}
              onChange={(checked) => {
                set({
                  filtersOff: checked ? draft.filtersOff.filter((name) => name !== key) : [...draft.filtersOff, key],
                });
              }}
            >
              {label}
            </Switch>
          ))}
        </div>
        <GroupingRules
          projectId={project.id}
          rules={draft.rules}
          fault={refused?.field === 'grouping_rules' ? refused.detail : null}
          onChange={(rules) => {
            set({ rules });
          }}
        />
        <CountsFrom at={project.settings.grouping_counts_from} />
        {isChanged && (
          <div className="save-bar" role="status">
            <span className="grow">Unsaved changes</span>
            <Button
              kind="ghost"
              onClick={() => {
                save.reset();
                setDraft(issueDraftOf(project));
              }}
            >
              Discard
            </Button>
            <Button kind="primary" type="submit" disabled={save.isPending}>
              {save.isPending ? 'Saving…' : 'Save'}
            </Button>
          </div>
        )}
      </form>
      <DiscardedIssues projectId={project.id} />
    </Panel>
  );
}

interface RequestsFieldProps {
  value: FailedRequests;
  onChange: (value: FailedRequests) => void;
}

function RequestsField({ value, onChange }: RequestsFieldProps) {
  const id = useId();
  return (
    <div className="settings-field">
      <label htmlFor={id}>Failed requests as issues</label>
      <div className="settings-input">
        <select
          id={id}
          className="text-field"
          value={value}
          onChange={(event) => {
            onChange(event.target.value as FailedRequests);
          }}
        >
          {REQUESTS.map(({ key, label }) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <p className="muted-text">Grouped by method, endpoint and status.</p>
    </div>
  );
}

interface CriticalPagesProps {
  value: string;
  fault: string | null;
  onChange: (value: string) => void;
}

function CriticalPages({ value, fault, onChange }: CriticalPagesProps) {
  const id = useId();
  return (
    <div className="settings-field">
      <label htmlFor={id}>Critical pages</label>
      <div className="settings-input">
        <textarea
          id={id}
          className="text-field mono"
          rows={2}
          value={value}
          placeholder="/checkout/*"
          spellCheck={false}
          aria-invalid={fault !== null}
          aria-describedby={`${id}-about`}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      </div>
      <p id={`${id}-about`} className={fault === null ? 'muted-text' : 'form-fault'}>
        {fault ?? 'Paths on which an issue matters more, one pattern a line. Counts at once.'}
      </p>
    </div>
  );
}

/** While the last change does not count yet. */
function CountsFrom({ at }: { at: number | null }) {
  const now = useNow();
  if (at === null || at <= now) return null;
  return (
    <p className="muted-text" role="status">
      The last change counts from <Time at={at} /> on.
    </p>
  );
}
