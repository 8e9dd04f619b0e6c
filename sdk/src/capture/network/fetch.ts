import { patchMethod } from '../patch.js';
import { loadLate } from '../late/load.js';
import type { CaptureContext } from '../context.js';
import { allowsBody, isReadable } from './allowed.js';
import type { Flight, Flights } from './flight.js';
import { noteOperation } from './operation.js';
import { bytesOf, lengthOf } from './size.js';
import { addTrace } from './trace.js';

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
  if (headers) context.guard(withTrace)(context, flight, headers, request, init);
  if (headers) flights.noteHeaders(flight, 'request_headers', (name) => headers.get(name));
  const bytes = bytesOf(init?.body);
  if (bytes !== undefined) flight.signal.request_bytes = bytes;
  noteOperation(flight, init?.body);
  if (allowsBody(context, flight.address)) noteRequestBody(flights, flight, request, init?.body, headers);
  return flight;
}

/**
 * Gives the browser headers of our own making: neither the page's `init` nor its `Request` is touched. An `init` of some class may
 * keep its members where a copy does not have them, and is left alone; so is a request that may carry none but simple headers.
 */
function withTrace(
  context: CaptureContext,
  flight: Flight,
  headers: Headers,
  request: Request | undefined,
  init: RequestInit | undefined,
): void {
  const kind: unknown = init && Object.getPrototypeOf(init);
  if (kind && kind !== Object.prototype) return;
  const mode = init?.mode ?? request?.mode;
  if (mode === 'no-cors' || mode === 'navigate' || !addTrace(context, flight.address, headers)) return;
  // With an `init` at all, the browser forgets the referrer of a `Request`.
  const isPlain = request && !Object.keys(init ?? {}).length;
  const kept = isPlain ? { referrer: request.referrer, referrerPolicy: request.referrerPolicy } : init;
  flight.init = { ...kept, headers };
}

function noteRequestBody(
  { context }: Flights,
  flight: Flight,
  request: Request | undefined,
  body: unknown,
  headers: Headers | undefined,
): void {
  const given = body !== undefined && body !== null;
  if (!given && (!request?.body || request.bodyUsed || !isReadable(headers?.get('content-type') ?? null))) return;
  // Copied now, as the page is about to use it up; read when the chunk that can is there.
  const copy = given ? undefined : request?.clone();
  const note = async (): Promise<void> => {
    const late = await loadLate();
    const text = copy ? await late?.readBody(copy, context) : late?.requestBodyOf(body, context);
    if (text !== undefined) flight.signal.request_body = text;
  };
  flight.pending.push(note());
}

function noteResponseBody({ context }: Flights, flight: Flight, response: Response): void {
  if (!response.body || response.bodyUsed || !isReadable(response.headers.get('content-type'))) return;
  const copy = response.clone();
  const note = async (): Promise<void> => {
    const text = await (await loadLate())?.readBody(copy, context);
    if (text !== undefined) flight.signal.response_body = text;
  };
  flight.pending.push(note());
}

function onResponse(flights: Flights, flight: Flight, response: Response): void {
  const { headers, status } = response;
  const length = lengthOf(headers.get('content-length'));
  if (length !== undefined) flight.signal.response_bytes = length;
  flights.noteHeaders(flight, 'response_headers', (name) => headers.get(name));
  if (allowsBody(flights.context, flight.address)) noteResponseBody(flights, flight, response);
  flights.answer(flight, status);
}

function onFailure(flights: Flights, flight: Flight, error: unknown, signal: AbortSignal | undefined): void {
  const reason: unknown = signal?.aborted ? signal.reason : error;
  const name = (value: unknown): unknown => (value as { name?: unknown } | null | undefined)?.name;
  if (name(reason) === 'TimeoutError') flights.settle(flight, 'timeout');
  else if (signal?.aborted || name(error) === 'AbortError') flights.settle(flight, 'aborted');
  else flights.settle(flight, 'network_error');
}

function isThenable(value: unknown): value is Promise<Response> {
  return typeof (value as Partial<Promise<Response>> | undefined)?.then === 'function';
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
      promise = callOriginal(flight?.init && [input, flight.init]);
    } catch (error) {
      if (flight) fail(flights, flight, error, undefined);
      throw error;
    }
    if (flight) flights.issued(flight);
    // Something that stands in for the browser's fetch may answer with no promise at all.
    if (!flight || !isThenable(promise)) return promise;
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
