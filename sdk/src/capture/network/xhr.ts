import type { RequestSignal } from '../../signal.js';
import { patchMethod } from '../patch.js';
import { loadLate } from '../late/load.js';
import { allowsBody, isReadable } from './allowed.js';
import type { Flight, Flights } from './flight.js';
import { noteOperation } from './operation.js';
import { bytesOf, lengthOf } from './size.js';
import { addTrace } from './trace.js';

interface Opened {
  method: string;
  url: string;
  headers: Map<string, string>;
  flight?: Flight;
  /** Told by the event that comes before `loadend`. */
  outcome?: RequestSignal['outcome'];
  unlisten?: () => void;
}

const OUTCOMES: Record<string, RequestSignal['outcome']> = {
  abort: 'aborted',
  timeout: 'timeout',
  error: 'network_error',
};

/** Read as a whole: asking for a single header that is not exposed makes the browser complain in the console. */
function responseHeaders(xhr: XMLHttpRequest): (name: string) => string | null {
  const found = new Map<string, string>();
  for (const line of xhr.getAllResponseHeaders().split('\r\n')) {
    const at = line.indexOf(':');
    if (at > 0) found.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
  }
  return (name) => found.get(name.toLowerCase()) ?? null;
}

function onLoaded(flights: Flights, flight: Flight, xhr: XMLHttpRequest): void {
  const header = responseHeaders(xhr);
  const isBinary = xhr.responseType === 'blob' || xhr.responseType === 'arraybuffer';
  const bytes = lengthOf(header('content-length')) ?? (isBinary ? bytesOf(xhr.response) : undefined);
  if (bytes !== undefined) flight.signal.response_bytes = bytes;
  flights.noteHeaders(flight, 'response_headers', header);
  const isText = xhr.responseType === '' || xhr.responseType === 'text';
  if (isText && allowsBody(flights.context, flight.address) && isReadable(header('content-type'))) {
    const { responseText } = xhr;
    const note = async (): Promise<void> => {
      const text = (await loadLate())?.tellBody(responseText, flights.context);
      if (text) flight.signal.response_body = text;
    };
    flight.pending.push(note());
  }
}

function finish(flights: Flights, xhr: XMLHttpRequest, opened: Opened, broken?: RequestSignal['outcome']): void {
  const { flight } = opened;
  opened.unlisten?.();
  if (!flight || flight.isSettled) return;
  const outcome = broken ?? opened.outcome;
  if (outcome) return flights.settle(flight, outcome);
  onLoaded(flights, flight, xhr);
  flights.answer(flight, xhr.status);
}

function begin(flights: Flights, xhr: XMLHttpRequest, opened: Opened, body: unknown): void {
  const { context } = flights;
  const flight = flights.start('xhr', opened.method, opened.url);
  if (!flight) return;
  opened.flight = flight;
  const get = (name: string): string | null => opened.headers.get(name.toLowerCase()) ?? null;
  // Comes by the patch that notes what the page sets.
  const set = (name: string, value: string): void => xhr.setRequestHeader(name, value);
  context.guard(addTrace)(context, flight.address, { get, set });
  flights.noteHeaders(flight, 'request_headers', get);
  const bytes = bytesOf(body);
  if (bytes !== undefined) flight.signal.request_bytes = bytes;
  noteOperation(flight, body);
  if (allowsBody(context, flight.address)) {
    const note = async (): Promise<void> => {
      const text = (await loadLate())?.requestBodyOf(body, context);
      if (text) flight.signal.request_body = text;
    };
    flight.pending.push(note());
  }
  const listener = context.guard((event: Event) => {
    if (event.type === 'loadend') finish(flights, xhr, opened);
    else if (OUTCOMES[event.type]) opened.outcome = OUTCOMES[event.type] as RequestSignal['outcome'];
  });
  const types = [...Object.keys(OUTCOMES), 'loadend'];
  for (const type of types) xhr.addEventListener(type, listener);
  opened.unlisten = () => {
    for (const type of types) xhr.removeEventListener(type, listener);
  };
}

/** Requests by `XMLHttpRequest`, synchronous ones and objects used again included. */
export function patchXhr(flights: Flights): () => void {
  if (typeof XMLHttpRequest !== 'function') return () => undefined;
  const { context } = flights;
  const prototype = XMLHttpRequest.prototype;
  const opens = new WeakMap<XMLHttpRequest, Opened>();

  const noteOpen = context.guard((xhr: XMLHttpRequest, method: unknown, url: unknown) => {
    const previous = opens.get(xhr);
    // Opening again breaks off what is under way without any event.
    if (previous) finish(flights, xhr, previous, 'aborted');
    opens.set(xhr, { method: String(method), url: String(url), headers: new Map() });
  });
  const noteHeader = context.guard((xhr: XMLHttpRequest, name: unknown, value: unknown) => {
    const headers = opens.get(xhr)?.headers;
    if (headers && headers.size < 100) headers.set(String(name).toLowerCase(), String(value).slice(0, 1000));
  });
  const noteSend = context.guard((xhr: XMLHttpRequest, body: unknown) => {
    const opened = opens.get(xhr);
    if (opened && !opened.flight) begin(flights, xhr, opened, body);
  });
  const noteSent = context.guard((xhr: XMLHttpRequest) => {
    const flight = opens.get(xhr)?.flight;
    if (flight) flights.issued(flight);
  });
  const noteThrow = context.guard((xhr: XMLHttpRequest) => {
    const opened = opens.get(xhr);
    if (opened) finish(flights, xhr, opened, opened.outcome ?? 'network_error');
  });

  const undos = [
    patchMethod(prototype, 'open', (self, args, callOriginal) => {
      const result = callOriginal();
      noteOpen(self as XMLHttpRequest, args[0], args[1]);
      return result;
    }),
    patchMethod(prototype, 'setRequestHeader', (self, args, callOriginal) => {
      const result = callOriginal();
      noteHeader(self as XMLHttpRequest, args[0], args[1]);
      return result;
    }),
    patchMethod(prototype, 'send', (self, args, callOriginal) => {
      noteSend(self as XMLHttpRequest, args[0]);
      try {
        const result = callOriginal();
        noteSent(self as XMLHttpRequest);
        return result;
      } catch (error) {
        noteThrow(self as XMLHttpRequest);
        throw error;
      }
    }),
  ];
  return () => {
    for (const undo of undos.reverse()) undo();
  };
}
