import { useEffect, useRef, useSyncExternalStore } from 'react';

export interface Shortcut {
  /** A `KeyboardEvent.key`, with `mod+` in front for ⌘ or Ctrl: `j`, `?`, ` `, `ArrowLeft`, `mod+k`. */
  keys: string;
  /** What it does, for the list of shortcuts: `Next session`. */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Left out of the list, such as the second key for the same thing. */
  unlisted?: boolean;
}

interface Group {
  name: string;
  shortcuts: readonly Shortcut[];
}

let groups: readonly { current: Group }[] = [];
const listeners = new Set<() => void>();

function replace(next: readonly { current: Group }[]) {
  groups = next;
  for (const listener of listeners) listener();
}

/** Makes shortcuts work while the component is mounted; of two with the same keys the one mounted last wins. */
export function useShortcuts(name: string, shortcuts: readonly Shortcut[]) {
  const group = useRef<Group>({ name, shortcuts });
  useEffect(() => {
    group.current = { name, shortcuts };
  });
  useEffect(() => {
    replace([...groups, group]);
    return () => {
      replace(groups.filter((candidate) => candidate !== group));
    };
  }, []);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Every group whose shortcuts work now, for the list of shortcuts. */
export function useShortcutGroups(): readonly Group[] {
  return useSyncExternalStore(subscribe, () => groups).map((group) => group.current);
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=range])'));

/** Keys that a focused control needs for itself. */
const isUsedByControl = (event: KeyboardEvent) =>
  (event.key === ' ' || event.key === 'Enter') &&
  event.target instanceof HTMLElement &&
  event.target.closest('button, a, summary, [role=button], [role=menuitem], [role=option], [role=switch]') !== null;

export function matchesKeys(event: KeyboardEvent, keys: string): boolean {
  const mod = event.metaKey || event.ctrlKey;
  const wantsMod = keys.startsWith('mod+');
  const key = wantsMod ? keys.slice(4) : keys;
  if (mod !== wantsMod || event.altKey) return false;
  return event.key === key || (key.length === 1 && event.key.toLowerCase() === key.toLowerCase());
}

function handle(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return;
  const plain = !event.metaKey && !event.ctrlKey;
  if (plain && (isTyping(event.target) || isUsedByControl(event))) return;
  for (const group of [...groups].reverse()) {
    const shortcut = group.current.shortcuts.find((candidate) => matchesKeys(event, candidate.keys));
    if (shortcut) {
      event.preventDefault();
      shortcut.run(event);
      return;
    }
  }
}

/** Call once, at start-up. */
export function listenForShortcuts() {
  window.addEventListener('keydown', handle);
}
