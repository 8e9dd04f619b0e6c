import { useQuery } from '@tanstack/react-query';
import { useId, type SubmitEvent } from 'react';
import { meQuery } from '../api/queries';
import { Button, Dialog } from '../ui';

interface AssignDialogProps {
  open: boolean;
  /** Who has it now, when that is one person. */
  current: string | null;
  onClose: () => void;
  /** An empty name is nobody. */
  onAssign: (name: string) => void;
}

const NAME_MAX = 200;

export function AssignDialog({ open, current, onClose, onAssign }: AssignDialogProps) {
  const me = useQuery(meQuery).data?.name;
  const id = useId();
  const assign = (name: string) => {
    onClose();
    onAssign(name);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    assign(String(new FormData(event.currentTarget).get('assignee') ?? '').trim());
  };
  return (
    <Dialog open={open} onClose={onClose} title="Assign">
      <form onSubmit={submit} className="assign-form">
        <label htmlFor={id}>Name or e-mail address</label>
        <input
          id={id}
          name="assignee"
          className="text-field"
          defaultValue={current ?? ''}
          maxLength={NAME_MAX}
          autoComplete="off"
          data-initial-focus
        />
        <div className="assign-actions">
          {me && (
            <Button
              onClick={() => {
                assign(me);
              }}
            >
              Assign to me
            </Button>
          )}
          <Button
            onClick={() => {
              assign('');
            }}
          >
            Nobody
          </Button>
          <span className="grow" />
          <Button kind="primary" type="submit">
            Assign
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
