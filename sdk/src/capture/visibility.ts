import { listen } from '../guard.js';
import type { Capture } from './context.js';

/** Whether the user can see the page. Heard before anything that sends on `hidden`. */
export const captureVisibility: Capture = (context) => {
  let last = document.visibilityState;
  const tell = (): void => {
    if (document.visibilityState === last) return;
    last = document.visibilityState;
    context.emit({ k: 'visibility', t: context.now(), state: last === 'hidden' ? 'hidden' : 'visible' });
  };
  return listen(window, 'visibilitychange', tell, { capture: true });
};
