import { useSyncExternalStore } from 'react';
import { Dialog, Kbd } from '../ui';
import { useShortcutGroups, type Shortcut } from '../ui/shortcuts';

/** The group of the shortcuts that every page has. */
export const EVERYWHERE = 'Everywhere';

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
  const groups = new Map<string, Shortcut[]>();
  for (const { name, shortcuts } of useShortcutGroups()) {
    const listed = shortcuts.filter((shortcut) => !shortcut.unlisted);
    if (listed.length > 0) groups.set(name, [...(groups.get(name) ?? []), ...listed]);
  }
  // What works on this page comes before what works everywhere.
  const ordered = [...groups].sort(([a], [b]) => Number(a === EVERYWHERE) - Number(b === EVERYWHERE));
  return (
    <Dialog
      open={open}
      title="Keyboard shortcuts"
      onClose={() => {
        setOpen(false);
      }}
    >
      {ordered.map(([name, shortcuts]) => (
        <section key={name} className="shortcut-group">
          <h3>{name}</h3>
          <dl>
            {shortcuts.map((shortcut) => (
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
