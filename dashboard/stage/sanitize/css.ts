/**
 * Removes from CSS everything that could fetch: imports, fonts that are not inline, and URLs that the image policy
 * refuses. Works on tokens, escapes decoded, so that `\75rl(` and a comment inside a name are not missed or mistaken.
 */
import { BLANK_IMAGE, type ImagePolicy } from './images';

/** Fast way out for the many rules without anything to refuse. */
const SUSPECT =
  /[\\]|url\s*\(|@import|@namespace|@charset|@font-face|image-set|image\s*\(|src\s*\(|cross-fade|element\s*\(|paint\s*\(/i;

/** Functions whose plain string arguments are URLs. */
const STRING_URL_FUNCTIONS = new Set(['image-set', '-webkit-image-set', 'image', 'cross-fade', '-webkit-cross-fade']);

const TOKEN =
  /\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?|@?-{0,2}(?:[a-zA-Z_\u0080-\uffff]|\\[^\n])(?:[\w\u0080-\uffff-]|\\[^\n])*|[\s\S]/gu;

const FONT_URL = /^data:(?:font\/|application\/(?:x-)?font|application\/vnd\.ms-fontobject|application\/octet-stream)/i;

const MAX_CSS_LENGTH = 16 * 1024 * 1024;

export function sanitizeCss(css: string, images: ImagePolicy): string {
  if (css.length > MAX_CSS_LENGTH) return '';
  if (!SUSPECT.test(css)) return css;
  return new CssScanner(css, images).run();
}

class CssScanner {
  private readonly tokens: RegExp;
  private out: string[] = [];
  private inFontFace = false;
  /** Names of the functions that are open now, innermost last; "" for plain parentheses. */
  private readonly open: string[] = [];

  constructor(
    private readonly css: string,
    private readonly images: ImagePolicy,
  ) {
    this.tokens = new RegExp(TOKEN);
  }

  run(): string {
    for (let match = this.tokens.exec(this.css); match !== null; match = this.tokens.exec(this.css)) {
      this.take(match[0]);
    }
    return this.out.join('');
  }

  private take(token: string): void {
    if (token.startsWith('/*') && token.length > 1) {
      this.out.push('/**/');
      return;
    }
    const first = token.charAt(0);
    if (first === '"' || first === "'") this.takeString(token);
    else if (first === '(') this.takeOpen('', token);
    else if (first === ')') this.takeClose(token);
    else if (first === '}') this.takeBlockEnd(token);
    else if (first === '@' && token.length > 1) this.takeAtKeyword(token);
    else if (token.length > 1 || /[\w\\-]/.test(first)) this.takeName(token);
    else this.out.push(token);
  }

  private takeString(token: string): void {
    const inside = this.open.at(-1) ?? '';
    if (!STRING_URL_FUNCTIONS.has(inside)) this.out.push(token);
    else this.out.push(this.writeUrl(decodeEscapes(token.slice(1, -1))));
  }

  private takeOpen(name: string, token: string): void {
    this.open.push(name);
    this.out.push(token);
  }

  private takeClose(token: string): void {
    this.open.pop();
    this.out.push(token);
  }

  private takeBlockEnd(token: string): void {
    this.inFontFace = false;
    this.open.length = 0;
    this.out.push(token);
  }

  private takeAtKeyword(token: string): void {
    const name = decodeEscapes(token).toLowerCase();
    if (name === '@import' || name === '@charset' || name === '@namespace') {
      this.skipStatement();
      return;
    }
    if (name === '@font-face') this.inFontFace = true;
    this.out.push(token);
  }

  private takeName(token: string): void {
    const name = decodeEscapes(token).toLowerCase();
    if (this.css.charAt(this.tokens.lastIndex) !== '(') {
      this.out.push(token);
      return;
    }
    this.tokens.lastIndex += 1;
    if (name === 'url' || name === 'url-prefix' || name === 'src') {
      this.out.push(this.writeUrl(this.readUrl()));
      return;
    }
    this.open.push(name);
    this.out.push(token, '(');
  }

  /** Reads to the end of `url(…)`: a quoted string, or raw text up to the closing parenthesis. */
  private readUrl(): string {
    const rest = /\s*(?:"((?:[^"\\\n]|\\[\s\S])*)"?|'((?:[^'\\\n]|\\[\s\S])*)'?|((?:[^)\\]|\\[\s\S])*))[^)]*\)?/uy;
    rest.lastIndex = this.tokens.lastIndex;
    const match = rest.exec(this.css);
    if (match === null) {
      this.tokens.lastIndex = this.css.length;
      return '';
    }
    this.tokens.lastIndex = rest.lastIndex;
    return decodeEscapes(match[1] ?? match[2] ?? match[3] ?? '').trim();
  }

  /** Skips to the end of an at-rule that has no block. */
  private skipStatement(): void {
    for (let match = this.tokens.exec(this.css); match !== null; match = this.tokens.exec(this.css)) {
      if (match[0] === ';') return;
      if (match[0] === '{' || match[0] === '}') {
        this.out.push(match[0]);
        return;
      }
      if (match[0] === '(') this.readUrl();
    }
  }

  /**
   * Chromium asks for images of inline styles with the dashboard's address as referrer, whatever the document's policy
   * says, so the policy stands in the URL itself. A browser that does not know that shows no such image.
   */
  private writeUrl(url: string): string {
    if (url.startsWith('#')) return `url(${quote(url)})`;
    if (this.inFontFace) return FONT_URL.test(url) ? `url(${quote(url)})` : 'local("")';
    const allowed = this.images.allow(url) ?? BLANK_IMAGE;
    return allowed.startsWith('data:')
      ? `url(${quote(allowed)})`
      : `url(${quote(allowed)} referrer-policy(no-referrer))`;
  }
}

function quote(url: string): string {
  return `"${url.replace(/["\\\n\r\f]/g, (character) => `\\${character.charCodeAt(0).toString(16)} `)}"`;
}

/** CSS escapes: up to six hex digits and one white space, or any other character for itself. */
export function decodeEscapes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(?:([0-9a-f]{1,6})\s?|\r?\n|([\s\S]))/gi, (_whole, hex?: string, literal?: string) => {
    if (hex === undefined) return literal ?? '';
    const code = Number.parseInt(hex, 16);
    return code === 0 || code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  });
}
