import { listen } from '../../guard.js';
import { createBudget } from '../budget.js';
import type { Capture, CaptureContext } from '../context.js';
import { innermost } from './target.js';

const INPUTS_PER_SECOND = 20;
const MAX_LABEL = 100;

/** The words beside a field, as the page's author wrote them; never what is in it. */
function labelOf(element: Element, context: CaptureContext): string | undefined {
  const { privacy } = context;
  const label = (element as HTMLInputElement).labels?.[0];
  const text = label ? privacy.textOf(label) : undefined;
  if (text) return text;
  // A masked field's own attributes are masked in the picture, and so they are here.
  const named = element.getAttribute('aria-label');
  return named && !privacy.isMasked(element) ? privacy.redactText(named.slice(0, MAX_LABEL)) : undefined;
}

/** That a field was filled in: which, not with what. Editable regions tell once until they lose the focus. */
export const captureInputs: Capture = (context) => {
  const budget = createBudget(context, INPUTS_PER_SECOND);
  let editing: Element | undefined;

  const tell = (element: Element): void => {
    const { privacy } = context;
    if (privacy.isIgnored(element) || privacy.isBlocked(element) || !budget.take()) return;
    const label = labelOf(element, context);
    context.emit({ k: 'input', t: context.now(), selector: privacy.selectorOf(element), ...(label ? { label } : {}) });
  };
  const onInput = (event: Event): void => {
    const element = innermost(event);
    if (!(element instanceof HTMLElement) || !element.isContentEditable || element === editing) return;
    editing = element;
    tell(element);
  };
  const onChange = (event: Event): void => {
    const element = innermost(event);
    if (event.isTrusted && element) tell(element);
  };
  const undos = [
    listen(window, 'change', onChange, { capture: true, passive: true }),
    listen(window, 'input', onInput, { capture: true, passive: true }),
    listen(window, 'focusout', () => (editing = undefined), { capture: true, passive: true }),
  ];
  return () => {
    for (const undo of undos) undo();
    budget.close();
  };
};
