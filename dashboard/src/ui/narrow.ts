import { useSyncExternalStore } from 'react';

const media = window.matchMedia('(max-width: 720px)');

const subscribe = (listener: () => void) => {
  media.addEventListener('change', listener);
  return () => {
    media.removeEventListener('change', listener);
  };
};

/** Whether the window is as narrow as a phone; the same width as in the style sheets. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => media.matches);
