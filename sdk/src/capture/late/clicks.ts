import { listen } from '../../guard.js';
import { randomHex } from '../../random.js';
import { createBudget } from '../budget.js';
import type { CaptureContext } from '../context.js';
import { createDeadClicks } from './dead-clicks.js';
import { epochOf } from '../known.js';
import type { Shared } from '../shared.js';
import { createRageClicks } from './rage-clicks.js';
import { innermost, meant, nameOf } from './target.js';

const CLICKS_PER_SECOND = 30;
/** A click on a label makes the browser click its control too: within this time it is one click. */
const LABEL_CLICK_MS = 50;

/** A click as the detectors need it. */
export interface Click {
  id: string;
  t: number;
  x: number;
  y: number;
  /** How many clicks the browser counts at this place: 3 selects a paragraph. */
  detail: number;
  element: Element;
  selector: string;
  text?: string;
}

function clickOf(event: MouseEvent, element: Element, context: CaptureContext): Click | undefined {
  const name = nameOf(element, context.privacy);
  if (!name) return undefined;
  return {
    id: randomHex(8),
    t: epochOf(context.now(), event.timeStamp),
    x: Math.round(event.clientX),
    y: Math.round(event.clientY),
    detail: event.detail,
    element,
    ...name,
  };
}

/** Whether the click is the one that the browser itself makes after a click on a label. */
function isEcho(click: Click, previous: Click | undefined): boolean {
  if (!previous || click.t - previous.t > LABEL_CLICK_MS) return false;
  const label = previous.element.closest('label');
  return label !== null && label !== click.element && label.control === click.element;
}

/** What the user clicks, and clicks that show frustration: again and again, or on something that does not react. */
export const captureClicks = (context: CaptureContext, shared: Shared): (() => void) => {
  const budget = createBudget(context, CLICKS_PER_SECOND);
  const rage = createRageClicks(context);
  const dead = createDeadClicks(context, shared);
  let previous: Click | undefined;

  const onClick = (event: Event): void => {
    const target = innermost(event);
    // Scripts click too; those are not the user's.
    if (!event.isTrusted || !target || !(event instanceof MouseEvent)) return;
    if (event.type === 'auxclick' && event.button !== 1) return;
    const click = clickOf(event, meant(target), context);
    if (!click || isEcho(click, previous)) return;
    previous = click;
    context.noteClick({ id: click.id, t: context.now() });
    const { id, t, x, y, selector, text } = click;
    const { button } = event;
    if (budget.take()) {
      context.emit({ k: 'click', t, id, x, y, selector, ...(text ? { text } : {}), ...(button ? { button } : {}) });
    }
    if (button !== 0) return;
    rage.add(click);
    dead.add(click, target, event);
  };
  const undos = [
    listen(window, 'click', onClick, { capture: true, passive: true }),
    listen(window, 'auxclick', onClick, { capture: true, passive: true }),
  ];
  return () => {
    for (const undo of undos) undo();
    rage.stop();
    dead.stop();
    budget.close();
  };
};
