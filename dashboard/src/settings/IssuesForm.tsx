import { useId, useState } from 'react';
import type { Project } from '../api/model';
import { asProblem } from '../api/problem';
import { Switch, Time, useNow } from '../ui';
import { DiscardedIssues } from './DiscardedIssues';
import { Field } from './Field';
import { GroupingRules } from './GroupingRules';
import {
  isSameDraft,
  issueDraftOf,
  issuePatch,
  rebaseDraft,
  type ErrorFilter,
  type FailedRequests,
} from './issue-draft';
import { LeaveGuard } from './LeaveGuard';
import { Panel } from './Panel';
import { SaveBar } from './SaveBar';
import { useSave } from './use-save';

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
  const save = useSave(project, 'Saved. It counts for what is received a minute from now.', (updated) => {
    setDraft(issueDraftOf(updated));
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
        <Field
          name="critical_pages"
          label="Critical pages"
          lines
          placeholder="/checkout/*"
          value={draft.criticalPages}
          fault={refused?.field === 'critical_pages' ? refused.detail : undefined}
          onChange={(criticalPages) => {
            set({ criticalPages });
          }}
        >
          Paths on which an issue matters more, one pattern a line. Counts at once.
        </Field>
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
          <SaveBar
            isSaving={save.isPending}
            onDiscard={() => {
              save.reset();
              setDraft(issueDraftOf(project));
            }}
          />
        )}
      </form>
      <DiscardedIssues projectId={project.id} />
      <LeaveGuard isChanged={isChanged} />
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
