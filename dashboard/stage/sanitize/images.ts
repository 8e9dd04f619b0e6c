/** Which images a recorded page may show: inline ones, and those on hosts that the project allows. */

const INLINE_IMAGE = /^data:image\/(?:png|apng|jpe?g|gif|webp|avif|bmp|x-icon|vnd\.microsoft\.icon|svg\+xml)[;,]/i;

/** The smallest transparent picture: what a refused image becomes, so that its box keeps its place. */
export const BLANK_IMAGE = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';

const MAX_URL_LENGTH = 8 * 1024 * 1024;

export class ImagePolicy {
  private readonly hosts: readonly HostPattern[];

  /** `hosts` are CSP host sources: `cdn.example`, `*.example`, `https://cdn.example:8443`. */
  constructor(hosts: readonly string[]) {
    this.hosts = hosts.map(parseHost).filter((host) => host !== null);
  }

  /** The URL to use, or null when nothing may be loaded for it. */
  allow(url: string): string | null {
    const trimmed = url.trim();
    if (trimmed.length > MAX_URL_LENGTH) return null;
    if (INLINE_IMAGE.test(trimmed)) return trimmed;
    if (this.hosts.length === 0 || !/^https?:\/\//i.test(trimmed)) return null;
    const parsed = URL.parse(trimmed);
    if (parsed === null || parsed.username !== '' || parsed.password !== '') return null;
    return this.hosts.some((host) => host.matches(parsed)) ? parsed.href : null;
  }

  /** A `srcset` with its refused candidates removed, or null when none is left. */
  allowSet(value: string): string | null {
    const kept = value
      .split(/,\s+|,(?=https?:)/i)
      .map((candidate) => candidate.trim().split(/\s+/))
      .flatMap(([url, ...descriptor]) => {
        const allowed = url === undefined ? null : this.allow(url.replace(/,+$/, ''));
        return allowed === null || allowed.includes(',') ? [] : [[allowed, ...descriptor].join(' ')];
      });
    return kept.length === 0 ? null : kept.join(', ');
  }
}

interface HostPattern {
  matches(url: URL): boolean;
}

function parseHost(source: string): HostPattern | null {
  const match = /^(?:(https?):\/\/)?(\*|(?:\*\.)?[a-z0-9.-]+)(?::(\d+|\*))?\/?$/i.exec(source.trim());
  if (match === null) return null;
  const [, scheme, host = '', port] = match;
  const name = host.toLowerCase();
  return {
    matches(url) {
      if (scheme !== undefined && url.protocol !== `${scheme.toLowerCase()}:`) return false;
      if (port !== undefined && port !== '*' && effectivePort(url) !== port) return false;
      if (port === undefined && url.port !== '') return false;
      if (name === '*') return true;
      return name.startsWith('*.') ? url.hostname.endsWith(name.slice(1)) : url.hostname === name;
    },
  };
}

function effectivePort(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}
