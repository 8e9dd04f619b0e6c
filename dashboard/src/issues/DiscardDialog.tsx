import { formatCountOf } from '../format/number';
import { Button, Dialog } from '../ui';

interface DiscardDialogProps {
  /** How many issues; 0: closed. */
  count: number;
  onClose: () => void;
  onDiscard: () => void;
}

/** Asks before what is there of issues is dropped. */
export function DiscardDialog({ count, onClose, onDiscard }: DiscardDialogProps) {
  return (
    <Dialog
      open={count > 0}
      onClose={onClose}
      title={`Discard ${formatCountOf(count, 'issue')}?`}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="danger"
            onClick={() => {
              onClose();
              onDiscard();
            }}
          >
            Discard
          </Button>
        </>
      }
    >
      <p>
        Everything counted of {count === 1 ? 'it' : 'them'} is dropped for good. From a minute on such errors make no
        issue and are only counted; they stay in their sessions.
      </p>
      <p className="muted">In Settings they can be taken again, as a new issue.</p>
    </Dialog>
  );
}
