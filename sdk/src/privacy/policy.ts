import { isSecretName } from './redact.js';
import type { PrivacyOptions } from './privacy.js';

/** How an element's texts are treated; a higher level is stricter. */
export const enum Level {
  Open = 0,
  /** A field or an editable region: masked unless the page allows it. */
  Field = 1,
  /** The page asked for masking, or the field must never be sent. */
  Masked = 2,
}

/** What is known of an element, its ancestors counted in. */
export interface Standing {
  level: Level;
  /** A field or editable region, or inside one: its mask tells no length. */
  field: boolean;
  blocked: boolean;
  ignored: boolean;
  /** An ancestor or the element itself allows its fields. */
  allowed: boolean;
}

const OPEN: Standing = { level: Level.Open, field: false, blocked: false, ignored: false, allowed: false };
const FIELD_TAGS = /^(input|textarea|select|option|optgroup|datalist)$/;
const BUTTON_TYPES = /^(submit|button|reset|image)$/;
const SECRET_AUTOCOMPLETE = /(current|new)-password|one-time-code|\bcc-/;
const CARD_NAME = /card-?(no|num|number)|credit-?card|\bcc(-?(no|num|number|csc|exp))?\b|cvv|cvc|security-?code/;

/** Fields that once were of type `password`: "show the password" must not show it to us. */
const oncePassword = new WeakSet<Element>();

function attribute(element: Element, name: string): string {
  return element.getAttribute(name) ?? '';
}

/** Password-like and card-like fields: never sent, even when allowed. */
function isNeverSent(element: Element): boolean {
  const type = attribute(element, 'type').toLowerCase();
  if (type === 'password' || oncePassword.has(element) || element.hasAttribute('data-rr-is-password')) {
    oncePassword.add(element);
    return true;
  }
  if (type === 'hidden') return true;
  if (SECRET_AUTOCOMPLETE.test(attribute(element, 'autocomplete').toLowerCase())) return true;
  const names = [
    attribute(element, 'name'),
    element.id,
    attribute(element, 'aria-label'),
    attribute(element, 'placeholder'),
  ];
  return names.some((name) => isSecretName(name) || CARD_NAME.test(name.toLowerCase().replace(/[_\s]+/g, '-')));
}

function isField(element: Element, tag: string): boolean {
  if (!FIELD_TAGS.test(tag)) {
    const editable = element.getAttribute('contenteditable');
    return editable !== null && editable.toLowerCase() !== 'false';
  }
  return tag !== 'input' || !BUTTON_TYPES.test(attribute(element, 'type').toLowerCase());
}

/** Selectors of the options as one, or undefined; a selector that the browser refuses masks nothing but is told by `start`. */
function joined(selectors: string[] | undefined): string | undefined {
  return selectors?.length ? selectors.join(',') : undefined;
}

/** The element that holds this one, also across shadow roots and same-origin frames. */
export function parentOf(element: Element): Element | null {
  const parent = element.parentNode;
  if (!parent) return null;
  if (parent.nodeType === 1) return parent as Element;
  if (parent.nodeType === 11) return (parent as ShadowRoot).host ?? null;
  try {
    return (parent as Document).defaultView?.frameElement ?? null;
  } catch {
    return null;
  }
}

/** Decides about elements. Stateless apart from the memory of password fields; pass a memo to share work within one task. */
export class Policy {
  private readonly maskAll: boolean;
  private readonly maskSelector: string | undefined;
  private readonly blockSelector: string | undefined;
  private readonly ignoreSelector: string | undefined;
  private readonly allowSelector: string | undefined;

  constructor(options: PrivacyOptions) {
    this.maskAll = options.mask === 'all';
    this.maskSelector = joined(options.maskSelectors);
    this.blockSelector = joined(options.blockSelectors);
    this.ignoreSelector = joined(options.ignoreSelectors);
    this.allowSelector = joined(options.allowSelectors);
  }

  /** For the recorder, which can skip a blocked subtree by itself. */
  blockedSelector(): string {
    return ['[data-playhead~="block"]', this.blockSelector].filter(Boolean).join(',');
  }

  ignoredSelector(): string {
    return ['[data-playhead~="ignore"]', this.ignoreSelector].filter(Boolean).join(',');
  }

  standingOf(element: Element, memo?: Map<Element, Standing>): Standing {
    const path: Element[] = [];
    let standing: Standing | undefined;
    let at: Element | null = element;
    while (at && !(standing = memo?.get(at))) {
      path.push(at);
      at = parentOf(at);
    }
    standing ??= this.maskAll ? { ...OPEN, level: Level.Masked } : OPEN;
    for (let index = path.length - 1; index >= 0; index--) {
      const step = path[index] as Element;
      standing = this.step(step, standing);
      memo?.set(step, standing);
    }
    return standing;
  }

  /** What the element itself adds to what it inherits. The nearest `mask` or `allow` wins. */
  private step(element: Element, inherited: Standing): Standing {
    const said = element.getAttribute('data-playhead');
    const masks = includes(said, 'mask') || matches(element, this.maskSelector);
    const allows = !masks && (includes(said, 'allow') || matches(element, this.allowSelector));
    const blocked = inherited.blocked || includes(said, 'block') || matches(element, this.blockSelector);
    const ignored = inherited.ignored || includes(said, 'ignore') || matches(element, this.ignoreSelector);
    const allowed = allows || (inherited.allowed && !masks);
    let level = inherited.level;
    if (masks) level = Level.Masked;
    else if (allows) level = Level.Open;
    const tag = element.localName;
    let field = inherited.field || isField(element, tag);
    if (level < Level.Masked && field) {
      if (isNeverSent(element)) level = Level.Masked;
      else if (!allowed) level = Level.Field;
    }
    if (tag === 'body' && level === Level.Open && element.ownerDocument.designMode === 'on') {
      level = Level.Field;
      field = true;
    }
    const same =
      level === inherited.level &&
      field === inherited.field &&
      blocked === inherited.blocked &&
      ignored === inherited.ignored &&
      allowed === inherited.allowed;
    return same ? inherited : { level, field, blocked, ignored, allowed };
  }
}

function includes(said: string | null, word: string): boolean {
  return said !== null && said.split(/\s+/).includes(word);
}

function matches(element: Element, selector: string | undefined): boolean {
  if (!selector) return false;
  try {
    return element.matches(selector);
  } catch {
    return false;
  }
}
