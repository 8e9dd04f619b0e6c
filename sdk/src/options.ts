import type { CaptureOptions } from './capture/context.js';
import type { PrivacyOptions } from './privacy/index.js';

/** What `start` takes. Only `key` is required when the SDK is loaded by its script tag; `endpoint` too when it is bundled. */
export interface StartOptions {
  /** The project's public key, `phk_…`. */
  key: string;
  /** Origin of the Playhead server, such as `https://playhead.example.com`. */
  endpoint?: string;
  release?: string;
  environment?: string;
  /** Share of sessions whose pictures (`dom`) are sent, 0 to 1. Default 1. */
  sampleRate?: number;
  /** Share of the other sessions that keep the last minute in memory and send it when an error happens. Default 0. */
  onErrorSampleRate?: number;
  /** Share of sessions whose signals are sent. Default 1. */
  signalSampleRate?: number;
  /** A visit ends after so long without anything the user did. Default 30 minutes. */
  maxIdleMs?: number;
  privacy?: PrivacyOptions;
  /** What is captured besides the picture; `dom: false` switches the picture off. */
  capture?: CaptureOptions & { dom?: boolean; inlineImages?: boolean };
  /** One session for all subdomains of this domain, through a cookie. */
  cookieDomain?: string;
  /** The same with the widest domain that the browser allows. */
  crossSubdomain?: boolean;
}

export interface Settings {
  key: string;
  endpoint: string;
  sampleRate: number;
  onErrorSampleRate: number;
  signalSampleRate: number;
  maxIdleMs: number;
  privacy: PrivacyOptions;
  capture: CaptureOptions & { dom?: boolean; inlineImages?: boolean };
  cookieDomain: string | undefined;
  crossSubdomain: boolean;
}

const DEFAULT_IDLE_MS = 30 * 60_000;

const isShare = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
const isAtLeast = (value: unknown, least: number): boolean => typeof value === 'number' && value >= least;

const NUMBERS = [
  ['sampleRate', isShare, 'a number from 0 to 1'],
  ['onErrorSampleRate', isShare, 'a number from 0 to 1'],
  ['signalSampleRate', isShare, 'a number from 0 to 1'],
  ['maxIdleMs', (value: unknown) => isAtLeast(value, 1), 'a number of milliseconds, 1 or more'],
] as const;

/**
 * The options without the numbers that are none or lie outside: the server's setting or the default holds in their place, as if they
 * had not been given. Each one is told.
 */
export function withValidNumbers(options: StartOptions, tell: (message: string) => void): StartOptions {
  const valid = { ...options };
  const refuse = (name: string, value: unknown, wanted: string): void =>
    tell(`${name} must be ${wanted}, not ${JSON.stringify(value) ?? String(value)}: it is ignored`);
  for (const [name, isValid, wanted] of NUMBERS) {
    const value: unknown = options[name];
    if (value === undefined || isValid(value)) continue;
    Reflect.deleteProperty(valid, name);
    refuse(name, value, wanted);
  }
  const limit: unknown = options.capture?.networkBodyLimit;
  if (limit !== undefined && !isAtLeast(limit, 0)) {
    valid.capture = { ...options.capture };
    delete valid.capture.networkBodyLimit;
    refuse('capture.networkBodyLimit', limit, 'a number of characters, 0 or above');
  }
  return valid;
}

/** Fills in what {@link withValidNumbers} left; says what is wrong instead of throwing. */
export function resolve(options: StartOptions, scriptOrigin: string | undefined): Settings | string {
  if (!/^phk_[0-9a-z]{40}$/.test(options.key)) return 'start() needs the project’s public key (phk_…)';
  const given = options.endpoint ?? scriptOrigin;
  if (!given || !/^https?:\/\//.test(given)) return 'start() needs endpoint, the address of the Playhead server';
  const { release, environment } = options;
  return {
    key: options.key,
    endpoint: given.replace(/\/+$/, ''),
    sampleRate: options.sampleRate ?? 1,
    onErrorSampleRate: options.onErrorSampleRate ?? 0,
    signalSampleRate: options.signalSampleRate ?? 1,
    maxIdleMs: options.maxIdleMs ?? DEFAULT_IDLE_MS,
    privacy: options.privacy ?? {},
    capture: { ...(release ? { release } : {}), ...(environment ? { environment } : {}), ...options.capture },
    cookieDomain: options.cookieDomain,
    crossSubdomain: options.crossSubdomain ?? false,
  };
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The project's id out of its public key: the first 64 bits, as 13 base32 digits with the highest first. */
export function projectOf(key: string): string {
  let value = 0n;
  // 13 digits hold 65 bits, one more than the id has.
  for (const digit of key.slice(4, 17)) value = (value << 5n) | BigInt(Math.max(0, ALPHABET.indexOf(digit)));
  value >>= 1n;
  let id = '';
  for (let place = 0; place < 13; place++) {
    id = ALPHABET.charAt(Number(value & 31n)) + id;
    value >>= 5n;
  }
  return id;
}
