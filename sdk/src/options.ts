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

function rate(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : fallback;
}

/** Checks and fills in; says what is wrong instead of throwing. */
export function resolve(options: StartOptions, scriptOrigin: string | undefined): Settings | string {
  if (!/^phk_[0-9a-z]{40}$/.test(options.key)) return 'start() needs the project’s public key (phk_…)';
  const given = options.endpoint ?? scriptOrigin;
  if (!given || !/^https?:\/\//.test(given)) return 'start() needs endpoint, the address of the Playhead server';
  const { release, environment } = options;
  return {
    key: options.key,
    endpoint: given.replace(/\/+$/, ''),
    sampleRate: rate(options.sampleRate, 1),
    onErrorSampleRate: rate(options.onErrorSampleRate, 0),
    signalSampleRate: rate(options.signalSampleRate, 1),
    maxIdleMs: options.maxIdleMs && options.maxIdleMs > 0 ? options.maxIdleMs : DEFAULT_IDLE_MS,
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
