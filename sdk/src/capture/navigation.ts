import { listen } from '../guard.js';
import type { NavigationSignal } from '../signal.js';
import { noteActivity } from './shared.js';
import { createBudget } from './budget.js';
import type { Capture } from './context.js';
import { known } from './known.js';
import { titleOf } from './page.js';
import { patchMethod } from './patch.js';

const NAVIGATIONS_PER_SECOND = 20;

function withoutFragment(url: string): string {
  return url.split('#', 1)[0] ?? '';
}

/** Where the page went: loads, the History API, the back and forward buttons, fragments, and pages that come back whole. */
export const captureNavigation: Capture = (context) => {
  const { privacy } = context;
  const budget = createBudget(context, NAVIGATIONS_PER_SECOND);
  let last = location.href;

  const tell = (how: NavigationSignal['how'], from: string, title?: string): void => {
    noteActivity(context);
    if (!budget.take()) return;
    context.emit(
      known<NavigationSignal>({
        k: 'navigation',
        t: context.now(),
        url: privacy.redactUrl(location.href),
        from: privacy.redactUrl(from),
        how,
        title,
      }),
    );
  };
  const moved = (how: NavigationSignal['how']): void => {
    if (location.href === last) return;
    const from = last;
    last = location.href;
    tell(how === 'pop' && withoutFragment(from) === withoutFragment(last) ? 'hash' : how, from);
  };
  const watch = (name: 'pushState' | 'replaceState', how: 'push' | 'replace'): (() => void) => {
    const note = context.guard(() => moved(how));
    return patchMethod(History.prototype, name, (_self, _args, callOriginal) => {
      const result = callOriginal();
      note();
      return result;
    });
  };

  tell('load', document.referrer, titleOf(context));
  const undos = [
    watch('pushState', 'push'),
    watch('replaceState', 'replace'),
    listen(window, 'popstate', () => moved('pop'), { capture: true }),
    listen(window, 'hashchange', () => moved('hash'), { capture: true }),
    listen(window, 'pageshow', (event) => {
      if ((event as PageTransitionEvent).persisted) tell('bfcache', last, titleOf(context));
    }),
  ];
  return () => {
    for (const undo of undos.reverse()) undo();
    budget.close();
  };
};
