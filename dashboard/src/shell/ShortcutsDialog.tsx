import { useSyncExternalStore } from 'react';
import { Dialog, Kbd } from '../ui';
import { useShortcutGroups } from '../ui/shortcuts';

let isOpen = false;
const listeners = new Set<() => void>();

function setOpen(open: boolean) {
  isOpen = open;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function openShortcutsDialog() {
  setOpen(true);
}

/** Every shortcut that works on the page behind it. */
export function ShortcutsDialog() {
  const open = useSyncExternalStore(subscribe, () => isOpen);
  const groups = useShortcutGroups().filter((group) => group.shortcuts.length > 0);
  return (
    <Dialog
      open={open}
      title="Keyboard shortcuts"
      onClose={() => {
        setOpen(false);
      }}
    >
      {[...groups].reverse().map((group) => (
        <section key={group.name} className="shortcut-group">
          <h3>{group.name}</h3>
          <dl>
            {group.shortcuts
              .filter((shortcut) => !shortcut.unlisted)
              .map((shortcut) => (
                <div key={shortcut.keys}>
                  <dt>{shortcut.label}</dt>
                  <dd>
                    <Kbd keys={shortcut.keys} />
                  </dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
