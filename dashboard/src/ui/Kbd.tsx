const NAMES: Record<string, string> = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  Escape: 'Esc',
  Enter: '↵',
};

const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator.userAgent);

/** `mod+k` → `⌘K` or `Ctrl K`. */
export function keyName(key: string): string {
  return key
    .split(/\+(?=.)/)
    .map((part) => {
      if (part === 'mod') return isApple ? '⌘' : 'Ctrl';
      if (part === 'shift') return isApple ? '⇧' : 'Shift';
      return NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part);
    })
    .join(isApple ? '' : ' ');
}

export function Kbd({ keys }: { keys: string }) {
  return <kbd>{keyName(keys)}</kbd>;
}
