import type { Capture } from '../context.js';
import { sharedOf } from '../shared.js';
import { patchBeacon } from './beacon.js';
import { patchFetch } from './fetch.js';
import { Flights } from './flight.js';
import { patchWebSocket } from './websocket.js';
import { patchXhr } from './xhr.js';

/** Everything that the page's scripts ask of the network. */
export const captureNetwork: Capture = (context) => {
  const flights = new Flights(context);
  const shared = sharedOf(context);
  shared.flights = flights;
  const undos = [patchFetch(flights), patchXhr(flights), patchBeacon(flights), patchWebSocket(context)];
  return () => {
    for (const undo of undos.reverse()) undo();
    flights.stop();
    shared.flights = undefined;
  };
};
