import { useId, useState, type SubmitEvent } from 'react';
import type { ArchivedUntil } from '../api/issues';
import { Button, Dialog } from '../ui';

interface ArchiveDialogProps {
  open: boolean;
  onClose: () => void;
  onArchive: (until: Partial<ArchivedUntil>) => void;
}

type Kind = 'events' | 'users';

const MOST: Record<Kind, number> = { events: 1_000_000, users: 9_000 };
const SPANS = [
  { days: 0, label: 'whenever' },
  { days: 1, label: 'within a day' },
  { days: 7, label: 'within a week' },
  { days: 30, label: 'within 30 days' },
] as const;

/** Asks after how much more an archived issue is to come back. */
export function ArchiveDialog({ open, onClose, onArchive }: ArchiveDialogProps) {
  return open ? <OpenArchiveDialog open onClose={onClose} onArchive={onArchive} /> : null;
}

function OpenArchiveDialog({ onClose, onArchive }: ArchiveDialogProps) {
  const id = useId();
  const [kind, setKind] = useState<Kind>('events');
  const [count, setCount] = useState('100');
  const [days, setDays] = useState(0);
  const number = Number(count);
  const fault = Number.isInteger(number) && number >= 1 && number <= MOST[kind] ? null : MOST[kind];
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (fault !== null) return;
    onClose();
    onArchive(kind === 'users' ? { users: number } : { events: number, ...(days > 0 && { days }) });
  };
  return (
    <Dialog open onClose={onClose} title="Archive until it happens more">
      <form onSubmit={submit} className="archive-form" noValidate>
        <label htmlFor={id}>Bring it back after</label>
        <div className="archive-fields">
          <input
            id={id}
            className="text-field num"
            inputMode="numeric"
            value={count}
            aria-invalid={fault !== null}
            aria-describedby={`${id}-fault`}
            autoComplete="off"
            data-initial-focus
            onChange={(event) => {
              setCount(event.target.value);
            }}
          />
          <select
            className="text-field"
            aria-label="What is counted"
            value={kind}
            onChange={(event) => {
              setKind(event.target.value as Kind);
            }}
          >
            <option value="events">more events</option>
            <option value="users">more users</option>
          </select>
          {kind === 'events' && (
            <select
              className="text-field"
              aria-label="Within which time"
              value={days}
              onChange={(event) => {
                setDays(Number(event.target.value));
              }}
            >
              {SPANS.map((span) => (
                <option key={span.days} value={span.days}>
                  {span.label}
                </option>
              ))}
            </select>
          )}
        </div>
        <p id={`${id}-fault`} className={fault === null ? 'muted' : 'form-fault'}>
          {fault === null
            ? 'Counted from now on. Days are those of UTC.'
            : `must be a whole number from 1 to ${fault.toLocaleString('en-US')}`}
        </p>
        <div className="assign-actions">
          <span className="grow" />
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={fault !== null}>
            Archive
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
