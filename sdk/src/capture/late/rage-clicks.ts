import { listen } from '../../guard.js';
import type { Click } from './clicks.js';
import type { CaptureContext } from '../context.js';

/** So many clicks within `RAGE_MS` and `RADIUS_PX` are rage. */
const RAGE_CLICKS = 3;
const RAGE_MS = 1000;
const RADIUS_PX = 30;

interface Burst {
  first: Click;
  /** Times of the latest clicks. */
  times: number[];
  count: number;
  raging: boolean;
}

/** A double or triple click on text selects it; the browser then has a selection to show for it. */
function isSelecting(burst: Burst, click: Click): boolean {
  const selection = document.getSelection();
  return burst.count <= 3 && click.detail === burst.count && selection !== null && !selection.isCollapsed;
}

/** Tells one signal per burst, when it is over. */
export function createRageClicks(context: CaptureContext): { add(click: Click): void; stop(): void } {
  let burst: Burst | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const finish = (): void => {
    clearTimeout(timer);
    const over = burst;
    burst = undefined;
    if (!over?.raging) return;
    const { id, t, x, y, selector, text } = over.first;
    const { count } = over;
    context.emit({ k: 'rage_click', t, selector, ...(text ? { text } : {}), count, x, y, click: id });
  };
  const belongs = (click: Click): boolean => {
    if (!burst) return false;
    const { first, times } = burst;
    const near = Math.hypot(click.x - first.x, click.y - first.y) <= RADIUS_PX;
    // The page may have scrolled another element under the pointer; one that was made anew keeps its name.
    return near && click.selector === first.selector && click.t - (times.at(-1) ?? 0) <= RAGE_MS;
  };
  const unlisten = listen(window, 'pagehide', finish, { capture: true });
  return {
    add(click) {
      if (!belongs(click)) finish();
      burst ??= { first: click, times: [], count: 0, raging: false };
      burst.count++;
      burst.times = [...burst.times, click.t].slice(-RAGE_CLICKS);
      const span = click.t - (burst.times[0] ?? click.t);
      if (burst.times.length === RAGE_CLICKS && span <= RAGE_MS && !isSelecting(burst, click)) burst.raging = true;
      clearTimeout(timer);
      timer = setTimeout(context.guard(finish), RAGE_MS);
    },
    stop() {
      unlisten();
      finish();
    },
  };
}
