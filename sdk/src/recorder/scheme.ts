import { attempt, listen } from '../guard.js';

const PREFERS_DARK = '(prefers-color-scheme: dark)';

/** Which colours the user asked for: the same page may look and measure otherwise in the other ones. */
export function colorScheme(): 'light' | 'dark' {
  return attempt(() => matchMedia(PREFERS_DARK).matches) ? 'dark' : 'light';
}

/** Tells when the user asks for the other colours; returns the undo. */
export function onColorScheme(listener: () => void): () => void {
  return attempt(() => listen(matchMedia(PREFERS_DARK), 'change', listener)) ?? (() => undefined);
}
