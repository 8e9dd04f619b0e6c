import { Level, Policy, type Standing } from './policy.js';
import type { Privacy, PrivacyOptions } from './privacy.js';
import { isSecretName, isSecretParameter, MASK, redactHeaders, redactText, redactUrl } from './redact.js';
import { selectorOf } from './selector.js';

export type { Privacy, PrivacyOptions } from './privacy.js';
export { Level, type Standing } from './policy.js';

const MAX_ELEMENT_TEXT = 100;
/** Text nodes looked at for one element's text: a click on a whole page must stay cheap. */
const MAX_TEXT_NODES = 50;

/** What the recorder's sanitizer needs on top of what captures see. */
export interface DomPrivacy extends Privacy {
  readonly mask: string;
  standingOf(element: Element, memo?: Map<Element, Standing>): Standing;
  isSecretName(name: string): boolean;
  blockedSelector(): string;
  ignoredSelector(): string;
}

/** The words that an element shows, masked parts left out. */
function visibleText(element: Element, policy: Policy): string {
  const memo = new Map<Element, Standing>();
  const walker = element.ownerDocument.createTreeWalker(element, 4 /* NodeFilter.SHOW_TEXT */);
  let text = '';
  for (let count = 0; count < MAX_TEXT_NODES && text.length < 2 * MAX_ELEMENT_TEXT && walker.nextNode(); count++) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (!parent || /^(script|style|noscript)$/.test(parent.localName)) continue;
    const standing = policy.standingOf(parent, memo);
    if (standing.level === Level.Open && !standing.blocked) text += ` ${node.nodeValue ?? ''}`;
  }
  return text;
}

export function createPrivacy(options: PrivacyOptions): DomPrivacy {
  const policy = new Policy(options);
  const extraNames = new Set(options.urlParameters?.map((name) => name.toLowerCase()));
  const isSecretInUrl = (name: string): boolean => isSecretParameter(name) || extraNames.has(name.toLowerCase());
  const cleanUrl = (url: string): string => redactUrl(String(url), isSecretInUrl);
  const cleanText = (text: string): string => {
    const clean = redactText(String(text), cleanUrl);
    if (!options.redact) return clean;
    try {
      return String(options.redact(clean));
    } catch {
      return MASK;
    }
  };
  return {
    mask: MASK,
    isMasked: (element) => policy.standingOf(element).level !== Level.Open,
    isBlocked: (element) => policy.standingOf(element).blocked,
    isIgnored: (element) => policy.standingOf(element).ignored,
    standingOf: (element, memo) => policy.standingOf(element, memo),
    isSecretName,
    blockedSelector: () => policy.blockedSelector(),
    ignoredSelector: () => policy.ignoredSelector(),
    redactText: cleanText,
    redactUrl: cleanUrl,
    redactHeaders: (headers) => redactHeaders(headers, cleanText),
    selectorOf: (element) => cleanText(selectorOf(element)),
    textOf(element) {
      const standing = policy.standingOf(element);
      if (standing.level !== Level.Open || standing.blocked) return undefined;
      const label =
        element.localName === 'input'
          ? (element as HTMLInputElement).value
          : visibleText(element, policy).replace(/\s+/g, ' ').trim() || (element.getAttribute('aria-label') ?? '');
      return label ? cleanText(label).slice(0, MAX_ELEMENT_TEXT) : undefined;
    },
  };
}
