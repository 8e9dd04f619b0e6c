import type { CaptureContext } from './context.js';
import type { Flights } from './network/flight.js';

/** What the captures of one recording tell one another; also across the border of the lazily loaded chunk. */
export interface Shared {
  /** When the page last did something that a click may have asked for, in milliseconds of the epoch. */
  activeAt: number;
  /** The requests under way, while they are captured. */
  flights?: Flights | undefined;
}

const shares = new WeakMap<CaptureContext, Shared>();

export function sharedOf(context: CaptureContext): Shared {
  let shared = shares.get(context);
  if (!shared) shares.set(context, (shared = { activeAt: 0 }));
  return shared;
}

/** A request started, the address changed: the page reacts to its user. */
export function noteActivity(context: CaptureContext): void {
  sharedOf(context).activeAt = context.now();
}
