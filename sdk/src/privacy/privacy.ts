/**
 * The one place that decides what may leave the page. The recorder's sanitizer and every capture ask the same object, so
 * that what is masked in the picture is masked in the time line too.
 */
export interface Privacy {
  /** Text, values and texts in attributes of this element must not be sent as they are. */
  isMasked(element: Element): boolean;
  /** The element's content is not recorded at all; the player shows a box of its size. */
  isBlocked(element: Element): boolean;
  /** What the user does with this element (input, clicks) is not recorded. */
  isIgnored(element: Element): boolean;
  /** Takes tokens, card numbers, e-mail addresses in URLs and the like out of free text. Keeps the length bounded by its own. */
  redactText(text: string): string;
  /** Takes credentials and token-like query and fragment parameters out of a URL; `data:` and `blob:` lose their body. */
  redactUrl(url: string): string;
  /** A copy, names in lower case, without authorization, cookies, API keys. */
  redactHeaders(headers: Iterable<[string, string]>): Record<string, string>;
  /** Readable path such as `main > form#checkout > button.primary`; holds no text, no values, no secret attributes. */
  selectorOf(element: Element): string;
  /** What the element says to the user (at most 100 characters); undefined when masked or empty. */
  textOf(element: Element): string | undefined;
}

export interface PrivacyOptions {
  /** `inputs` (default) masks what users type; `all` masks every text of the page as well. */
  mask?: 'inputs' | 'all';
  /** Selectors of elements to mask, block or ignore, as if they carried `data-playhead`. */
  maskSelectors?: string[];
  blockSelectors?: string[];
  ignoreSelectors?: string[];
  /** Selectors of inputs whose values may be sent; password-like and card-like fields are masked all the same. */
  allowSelectors?: string[];
  /** More names of query parameters whose values are removed. Compared in lower case. */
  urlParameters?: string[];
  /** Called on every text after the built-in rules; what it returns is sent. */
  redact?: (text: string) => string;
}
