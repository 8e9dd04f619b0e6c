import type { Privacy } from '../../privacy/privacy.js';

/** What a click on any of it is meant for: an icon inside a button is the button. */
const INTERACTIVE =
  'a[href],button,summary,label,input,select,textarea,option,[role=button],[role=link],[role=tab],[role=menuitem],' +
  '[role=checkbox],[role=switch],[role=option],[onclick]';

/** The innermost element that the event happened on, also inside open shadow roots. */
export function innermost(event: Event): Element | undefined {
  const first = event.composedPath()[0];
  return first instanceof Element ? first : undefined;
}

/** The element that the user means: the nearest interactive one, or the element itself. */
export function meant(element: Element): Element {
  return element.closest(INTERACTIVE) ?? element;
}

/** How an element is called in signals; undefined when what happens there must not be told. */
export function nameOf(element: Element, privacy: Privacy): { selector: string; text?: string } | undefined {
  if (privacy.isIgnored(element)) return undefined;
  const text = privacy.isBlocked(element) ? undefined : privacy.textOf(element);
  return { selector: privacy.selectorOf(element), ...(text ? { text } : {}) };
}
