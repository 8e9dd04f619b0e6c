/** What stands in for anything that must not leave the page. Of a fixed length, so that not even a length is told. */
export const MASK = '******';

/** Names of parameters, headers, attributes and JSON members whose values are credentials. */
const SECRET_NAME =
  /(^|[^a-z])(pass(word|wd|phrase|code)?|pwd|pin|otp|mfa|totp|secret|token|jwt|bearer|auth|authori[sz]ation|api-?key|access-?key|private-?key|client-?secret|credentials?|cookie|session-?(id|key)|sid|csrf|xsrf|cvv|cvc|csc|ssn|iban|card-?(no|num|number)|cc-?(number|num|csc)|account-?number)([^a-z]|$)/;

/** Names that are credentials in an address, while elsewhere they are ordinary words. */
const SECRET_PARAMETER = /(^|-)(code|state|ticket|sig|signature|nonce|key|session|hash|email|e-mail|phone)(-|$)/;

const NEVER_SENT_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'set-cookie2',
  'x-api-key',
  'api-key',
]);

const MAX_TEXT = 64 * 1024;
const MAX_URL = 4096;

/** `sessionToken`, `session_token`, `SESSION-TOKEN` → `session-token`. */
function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[_.\s]+/g, '-')
    .toLowerCase();
}

export function isSecretName(name: string): boolean {
  return name.length < 200 && SECRET_NAME.test(kebab(name));
}

export function isSecretParameter(name: string): boolean {
  return isSecretName(name) || (name.length < 200 && SECRET_PARAMETER.test(kebab(name)));
}

/** Luhn's check digit: tells a card number from any other run of 13 to 19 digits. */
function isCardNumber(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place++) {
    let digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    if (place % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}

// One cheap look at the text before the dear ones: nearly all text of a page ends here.
const SUSPICIOUS = /[=:]|\d[ -]?\d{3}|eyJ|(?:sk|pk|rk|gh[a-z]|xox[a-z]|phs|AKIA|AIza|glpat)[_\-A-Z0-9]|bearer|basic /i;
const JWT = /\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g;
const KNOWN_TOKEN =
  /\b(?:(?:sk|rk)[-_](?:live|test|proj)?[-_]?[A-Za-z0-9]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{30,}|phs_\w{16,})/g;
const SCHEME_TOKEN = /\b(bearer|basic|digest)\s+[\w+/.=~-]{6,}/gi;
const CARD = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g;
// A name and a separator, then a value: `password=…`, `"api_key": "…"`, `token: …`.
const NAME = /([\w$.-]{2,60})["']?\s*[=:]\s*/g;
const VALUE = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&"'<>)}\]]+/y;
const URL_IN_TEXT = /\b(?:(?:https?|wss?|ftp):\/\/|data:[\w.+-]+\/[\w.+-]+[;,])[^\s"'<>`]+/gi;

/** Takes the values of secret names. What follows another name is looked at again: it may be a name itself. */
function redactPairs(text: string): string {
  let clean = '';
  let done = 0;
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match; match = NAME.exec(text)) {
    if (!isSecretName(match[1] ?? '')) continue;
    VALUE.lastIndex = NAME.lastIndex;
    const value = VALUE.exec(text)?.[0];
    if (!value) continue;
    const quote = value[0] === '"' || value[0] === "'" ? value[0] : '';
    clean += text.slice(done, NAME.lastIndex) + quote + MASK + quote;
    done = NAME.lastIndex = VALUE.lastIndex;
  }
  return clean + text.slice(done);
}

/** The rules on text; `redactUrl` of the same options takes care of the addresses inside it. */
export function redactText(text: string, redactAddress: (url: string) => string): string {
  let rest = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
  if (!SUSPICIOUS.test(rest)) return rest;
  if (rest.includes('://') || rest.includes('data:')) rest = rest.replace(URL_IN_TEXT, redactAddress);
  rest = rest.replace(JWT, MASK).replace(KNOWN_TOKEN, MASK).replace(SCHEME_TOKEN, `$1 ${MASK}`);
  return redactPairs(rest).replace(CARD, (match) => (isCardNumber(match.replace(/\D/g, '')) ? MASK : match));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}

function looksLikeToken(value: string): boolean {
  const text = decoded(value);
  // Long, without spaces, mixing letters and digits: opaque to a reader and so likely a credential.
  return (
    /^eyJ[\w-]{8,}\./.test(text) ||
    (/^[\w+/=.~-]{32,}$/.test(text) && /\d/.test(text) && /[a-z]/i.test(text)) ||
    /^\d(?:[ -]?\d){12,18}$/.test(text)
  );
}

function redactParameters(query: string, isSecret: (name: string) => boolean): string {
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) return looksLikeToken(pair) ? MASK : pair;
      const name = pair.slice(0, at);
      return isSecret(decoded(name)) || looksLikeToken(pair.slice(at + 1)) ? `${name}=${MASK}` : pair;
    })
    .join('&');
}

/** Words of an address that people gave: letters, joined by hyphens, perhaps a short number at the end; or a number alone. */
const PLAIN_WORD = /^(?:[a-z]+(?:[-_.][a-z]+)*(?:[-_.]?\d{1,4})?|\d{1,10})$/i;
const PLAIN_ANCHOR = /^[a-z]+(?:[-_][a-z]+)*(?:[-_]?\d{1,4})?$/;
const MAX_PLAIN = 40;

function isPlain(word: string, pattern: RegExp): boolean {
  return word === '' || (word.length <= MAX_PLAIN && pattern.test(word));
}

/** Fragments carry tokens and state of the page more often than words, so only what is plainly a word or a number stays. */
function redactFragmentParameters(query: string, isSecret: (name: string) => boolean): string {
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) return isPlain(pair, PLAIN_ANCHOR) ? pair : MASK;
      const [name, value] = [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
      if (!isPlain(name, PLAIN_WORD)) return MASK;
      return `${pair.slice(0, at)}=${isSecret(name) || !isPlain(value, PLAIN_WORD) ? MASK : pair.slice(at + 1)}`;
    })
    .join('&');
}

/** The part after `#`: a route (`#/orders/12?sort=price`, `#!/cart`), parameters, or the name of a place on the page. */
function redactFragment(fragment: string, isSecret: (name: string) => boolean): string {
  const [, mark = '', route = '', query] = /^(!?)(\/[^?]*)?(?:\?(.*))?/s.exec(fragment) ?? [];
  if (!route && query === undefined) return redactFragmentParameters(fragment, isSecret);
  const path = route
    .split('/')
    .map((segment) => (isPlain(decoded(segment), PLAIN_WORD) ? segment : MASK))
    .join('/');
  return mark + path + (query === undefined ? '' : `?${redactFragmentParameters(query, isSecret)}`);
}

/** Path segments keep their shape; one that is a token becomes the mask. */
function redactPath(path: string): string {
  return path.length < 24
    ? path
    : path
        .split('/')
        .map((segment) =>
          /^eyJ[\w-]{8,}\./.test(segment) || (/^[\w~.-]{48,}$/.test(segment) && !/\.\w{1,5}$/.test(segment))
            ? MASK
            : segment,
        )
        .join('/');
}

/** A URL, absolute or relative, without credentials. `data:` and `blob:` keep their type alone; scripts vanish. */
export function redactUrl(url: string, isSecret: (name: string) => boolean): string {
  const trimmed = url.slice(0, MAX_URL);
  const opaque = /^\s*(data|blob|javascript|vbscript|mailto|tel|sms):/i.exec(trimmed);
  if (opaque) {
    const type = /^\s*data:[\w/+.-]*/i.exec(trimmed)?.[0].trim();
    return type ?? `${opaque[1]?.toLowerCase()}:`;
  }
  const [, head = '', query, fragment] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(trimmed) ?? [];
  const [, origin = '', path = ''] = /^((?:[a-z][\w+.-]*:)?\/\/[^/]*)?(.*)$/is.exec(head) ?? [];
  return (
    origin.replace(/\/\/[^/@]*@/, '//') +
    redactPath(path) +
    (query === undefined ? '' : `?${redactParameters(query, isSecret)}`) +
    (fragment === undefined ? '' : `#${redactFragment(fragment, isSecret)}`)
  );
}

export function redactHeaders(
  headers: Iterable<[string, string]>,
  redactValue: (text: string) => string,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (NEVER_SENT_HEADERS.has(lower) || isSecretName(lower)) continue;
    kept[lower] = redactValue(value);
  }
  return kept;
}
