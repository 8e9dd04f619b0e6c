import { Button } from '../ui';

interface SaveBarProps {
  isSaving: boolean;
  /** Something has to be corrected first. */
  isBlocked?: boolean;
  onDiscard: () => void;
}

/** Shown in a form while something in it is not saved. */
export function SaveBar({ isSaving, isBlocked = false, onDiscard }: SaveBarProps) {
  return (
    <div className="save-bar" role="status">
      <span className="grow">Unsaved changes</span>
      <Button kind="ghost" onClick={onDiscard}>
        Discard
      </Button>
      <Button kind="primary" type="submit" disabled={isSaving || isBlocked}>
        {isSaving ? 'Saving…' : 'Save'}
      </Button>
    </div>
  );
}
