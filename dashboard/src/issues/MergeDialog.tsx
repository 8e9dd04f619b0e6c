import { useId, useState, type SubmitEvent } from 'react';
import type { Issue } from '../api/issues';
import { formatCountOf } from '../format/number';
import { Button, Dialog } from '../ui';

interface MergeDialogProps {
  /** At least two; fewer: closed. */
  issues: readonly Issue[];
  onClose: () => void;
  onMerge: (into: Issue) => void;
}

/** Asks as which of them the issues are to be shown. */
export function MergeDialog({ issues, onClose, onMerge }: MergeDialogProps) {
  return issues.length < 2 ? null : <OpenMergeDialog issues={issues} onClose={onClose} onMerge={onMerge} />;
}

function OpenMergeDialog({ issues, onClose, onMerge }: MergeDialogProps) {
  const name = useId();
  const ranked = [...issues].sort((one, other) => other.events - one.events);
  const [chosen, choose] = useState(ranked[0]?.id);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const into = ranked.find(({ id }) => id === chosen);
    if (!into) return;
    onClose();
    onMerge(into);
  };
  return (
    <Dialog open onClose={onClose} title={`Merge ${formatCountOf(issues.length, 'issue')}`}>
      <form onSubmit={submit} className="merge-form">
        <p className="muted">
          Counts, users and sessions are shown as one from now on, and so is what happens next. Nothing is lost: each
          can be split off again.
        </p>
        <fieldset className="merge-choices">
          <legend>Shown as</legend>
          {ranked.map((issue) => (
            <label key={issue.id} className="merge-choice">
              <input
                type="radio"
                name={name}
                checked={issue.id === chosen}
                onChange={() => {
                  choose(issue.id);
                }}
              />
              <span className="ell">
                <span className="ell" title={issue.title}>
                  {issue.title}
                </span>
                <span className="sub ell">
                  {issue.culprit !== '' && <span className="mono">{issue.culprit} · </span>}
                  {formatCountOf(issue.events, 'event')}
                </span>
              </span>
            </label>
          ))}
        </fieldset>
        <div className="assign-actions">
          <span className="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" data-initial-focus>
            Merge
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
