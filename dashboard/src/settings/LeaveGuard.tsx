import { useBlocker } from '@tanstack/react-router';
import { Button, Dialog } from '../ui';

/** Asks before unsaved changes are lost. */
export function LeaveGuard({ isChanged, what = 'the settings' }: { isChanged: boolean; what?: string }) {
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
      <p>Your changes to {what} are not saved.</p>
    </Dialog>
  );
}
