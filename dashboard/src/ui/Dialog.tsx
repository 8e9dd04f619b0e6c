import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Button } from './Button';
import { Icon } from './Icon';

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Hides the heading from sight; it stays the dialog's name. */
  bare?: boolean;
  children: ReactNode;
  actions?: ReactNode;
}

/**
 * A modal dialog on the browser's own `<dialog>`: it makes the page behind it inert, traps focus and closes on Escape
 * without injecting style elements, which the content security policy refuses.
 */
export function Dialog(props: DialogProps) {
  return props.open ? <OpenDialog {...props} /> : null;
}

function OpenDialog({ onClose, title, bare = false, children, actions }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // Not the close button, which the browser would choose.
      (dialog.querySelector<HTMLElement>('[data-initial-focus]') ?? dialog).focus();
    }
    return () => {
      dialog?.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className="dialog"
      aria-labelledby={titleId}
      tabIndex={-1}
      onKeyDown={(event) => {
        // An open tooltip takes Escape for itself, and the browser then sends no cancel event.
        if (event.key !== 'Escape') return;
        event.preventDefault();
        onClose();
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        // Only the backdrop reports the dialog itself as its target.
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-panel">
        {bare ? (
          <h2 id={titleId} className="hidden-text">
            {title}
          </h2>
        ) : (
          <div className="dialog-head">
            <h2 id={titleId} className="grow">
              {title}
            </h2>
            <Button kind="ghost" className="icon-only" aria-label="Close" onClick={onClose}>
              <Icon name="close" />
            </Button>
          </div>
        )}
        {bare ? children : <div className="dialog-body">{children}</div>}
        {actions && <div className="dialog-actions">{actions}</div>}
      </div>
    </dialog>
  );
}
