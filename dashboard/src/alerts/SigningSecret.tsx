import type { SavedChannel } from '../api/alerts';
import { CopyButton, Button, Dialog } from '../ui';

/** The secret that was made for a web hook: shown once. */
export function SigningSecret({ saved, onClose }: { saved: SavedChannel | null; onClose: () => void }) {
  const secret = saved?.signing_secret ?? null;
  return (
    <Dialog
      open={secret !== null}
      title={`What signs the messages to “${saved?.channel.name ?? ''}”`}
      onClose={onClose}
      actions={
        <>
          <CopyButton kind="primary" text={secret ?? ''} label="Copy secret" />
          <Button onClick={onClose}>Done</Button>
        </>
      }
    >
      <p>
        Copy it now: it is kept sealed and not shown again. Your receiver checks the header{' '}
        <code className="mono">playhead-signature</code> with it.
      </p>
      <pre className="code-block" tabIndex={0} aria-label="Signing secret">
        {secret}
      </pre>
    </Dialog>
  );
}
