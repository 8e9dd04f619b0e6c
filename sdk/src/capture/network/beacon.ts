import { patchMethod } from '../patch.js';
import type { Flights } from './flight.js';
import { bytesOf } from './size.js';

/** `navigator.sendBeacon`: the browser tells only whether it took the beacon, never what became of it. */
export function patchBeacon(flights: Flights): () => void {
  if (typeof Navigator !== 'function') return () => undefined;
  const note = flights.context.guard((url: unknown, body: unknown, queued: boolean, startedAt: number) => {
    const flight = flights.start('beacon', 'POST', String(url));
    if (!flight) return;
    flight.startedAt = startedAt;
    flights.issued(flight);
    const bytes = bytesOf(body);
    if (bytes !== undefined) flight.signal.request_bytes = bytes;
    flights.settle(flight, queued ? 'ok' : 'network_error');
  });
  return patchMethod(Navigator.prototype, 'sendBeacon', (_self, args, callOriginal) => {
    const startedAt = performance.now();
    const queued = callOriginal();
    note(args[0], args[1], queued === true, startedAt);
    return queued;
  });
}
