import { patchMethod } from '../patch.js';
import { allowsBody, isReadable, readBody, requestBodyOf } from './body.js';
import type { Flight, Flights } from './flight.js';
import { bytesOf, lengthOf } from './size.js';

/** What a call of `fetch` says about the request. A body that can be read but once is left alone. */
function startFlight(flights: Flights, input: unknown, init: RequestInit | undefined): Flight | undefined {
  const { context } = flights;
  const request = input instanceof Request ? input : undefined;
  const url = request?.url ?? String(input);
  const flight = flights.start('fetch', init?.method ?? request?.method ?? 'GET', url);
  if (!flight) return undefined;
  flight.outlives = init?.keepalive ?? request?.keepalive ?? false;
  // An iterator would be used up by reading it.
  const given = init?.headers;
  const readable =
    given === undefined || given instanceof Headers || Array.isArray(given) || !(Symbol.iterator in given);
  const headers = readable ? new Headers(given ?? request?.headers) : undefined;
  if (headers) flights.noteRequestHeaders(flight, (name) => headers.get(name));
  const bytes = bytesOf(init?.body);
  if (bytes !== undefined) flight.signal.request_bytes = bytes;
  if (allowsBody(context, flight.address)) noteRequestBody(flights, flight, request, init?.body, headers);
  return flight;
}

function noteRequestBody(
  flights: Flights,
  flight: Flight,
  request: Request | undefined,
  body: unknown,
  headers: Headers | undefined,
): void {
  const { context } = flights;
  if (body !== undefined && body !== null) {
    const text = requestBodyOf(body, context);
    if (text !== undefined) flight.signal.request_body = text;
  } else if (request?.body && !request.bodyUsed && isReadable(headers?.get('content-type') ?? '')) {
    const reading = readBody(request.clone(), context).then((text) => {
      if (text !== undefined) flight.signal.request_body = text;
    });
    flight.pending.push(reading);
  }
}

function onResponse(flights: Flights, flight: Flight, response: Response): void {
  const { context } = flights;
  const length = lengthOf(response.headers.get('content-length'));
  if (length !== undefined) flight.signal.response_bytes = length;
  flights.noteResponseHeaders(flight, (name) => response.headers.get(name));
  if (response.body && !response.bodyUsed && allowsBody(context, flight.address)) {
    if (isReadable(response.headers.get('content-type') ?? '')) {
      const reading = readBody(response.clone(), context).then((text) => {
        if (text !== undefined) flight.signal.response_body = text;
      });
      flight.pending.push(reading);
    }
  }
  // An opaque answer hides its status: that something came is all there is to know.
  const { status } = response;
  flights.settle(flight, status >= 400 ? 'http_error' : 'ok', status);
}

function onFailure(flights: Flights, flight: Flight, error: unknown, signal: AbortSignal | undefined): void {
  const reason: unknown = signal?.aborted ? signal.reason : error;
  const name = (value: unknown): unknown => (value as { name?: unknown } | null | undefined)?.name;
  if (name(reason) === 'TimeoutError') flights.settle(flight, 'timeout');
  else if (signal?.aborted || name(error) === 'AbortError') flights.settle(flight, 'aborted');
  else flights.settle(flight, 'network_error');
}

/**
 * Calls of `fetch`. The page gets a promise of ours for the browser's, with the same response or the same error: watching the
 * browser's own would mark it as handled and swallow the page's `unhandledrejection`.
 */
export function patchFetch(flights: Flights): () => void {
  const { context } = flights;
  const begin = context.guard(startFlight);
  const succeed = context.guard(onResponse);
  const fail = context.guard(onFailure);
  return patchMethod(window, 'fetch', (_self, args, callOriginal) => {
    const [input, init] = args as [unknown, RequestInit | undefined];
    const flight = begin(flights, input, init);
    let promise: unknown;
    try {
      promise = callOriginal();
    } catch (error) {
      if (flight) fail(flights, flight, error, undefined);
      throw error;
    }
    if (!flight || !(promise instanceof Promise)) return promise;
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    return promise.then(
      (response: Response) => {
        succeed(flights, flight, response);
        return response;
      },
      (error: unknown) => {
        fail(flights, flight, error, signal);
        throw error;
      },
    );
  });
}
