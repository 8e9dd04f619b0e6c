import type { DomPrivacy } from '../privacy/index.js';

const URL_IN_CSS = /url\(\s*(["']?)([^"')]*)\1\s*\)/g;

/** Style text whose addresses carry no credentials. */
export function redactCss(css: string, privacy: DomPrivacy): string {
  // Nearly all style text has no query in it, and a scan for one character is cheap.
  if (!css.includes('?') && !css.includes('@')) return css;
  if (!css.includes('url(')) return css;
  return css.replace(URL_IN_CSS, (whole, quote: string, url: string) =>
    /^\s*(data:|#)/i.test(url) || !/[?@]/.test(url) ? whole : `url(${quote}${privacy.redactUrl(url)}${quote})`,
  );
}
