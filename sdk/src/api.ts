import { reportError } from './capture/errors.js';
import { cleanProperties } from './capture/properties.js';
import { attempt, guard } from './guard.js';
import { resolve, type StartOptions, withValidNumbers } from './options.js';
import { Recording } from './recording.js';
import type { IdentifySignal } from './signal.js';
import type { Stub } from './stub.js';
import { SDK_VERSION } from './version.js';

export interface CaptureErrorOptions {
  /**
   * Errors with the same list are one issue, whatever else they say. `{{ default }}` in it stands for what they would be
   * grouped by otherwise.
   */
  fingerprint?: readonly string[];
}

export interface Identity {
  id?: string;
  email?: string;
  traits?: Record<string, unknown>;
}

/** What a page sees of the SDK. Nothing here throws; calls before `start` are kept until then. */
export interface PlayheadApi {
  readonly version: string;
  /** Begins recording. A second call does nothing until `stop`. In a prerendered page it waits until the page is shown. */
  start(options?: Partial<StartOptions>): void;
  /** Ends the session, undoes every patch and forgets the session's id. */
  stop(): void;
  /** Says who the user is. Values are sent as they are: they are what the page chose to tell. */
  identify(identity: Identity): void;
  /** A custom event on the time line. */
  track(name: string, properties?: Record<string, unknown>): void;
  /** Reports an error that the page handled. */
  captureError(error: unknown, context?: Record<string, unknown>, options?: CaptureErrorOptions): void;
  /** Link to this moment of this session in the dashboard; undefined while nothing is recorded. */
  sessionUrl(): string | undefined;
}

interface ApiSource {
  /** Options of the script tag. */
  defaults?: Partial<StartOptions>;
  /** Where the script came from. */
  origin?: string | undefined;
  stub?: Stub | undefined;
}

/** What has been told on this page already: each mistake is told once, however often it is made. */
const told = new Set<string>();

/** Calls that came before `start`, bounded. */
const MAX_EARLY_CALLS = 100;

function warn(message: string): void {
  if (told.has(message)) return;
  told.add(message);
  // eslint-disable-next-line no-console -- the one place where a mistake in the page's own set-up is told
  console.warn(`[playhead] ${message}`);
}

function identifySignal({ id, email, traits }: Identity, t: number): IdentifySignal {
  return {
    k: 'identify',
    t,
    ...(id === undefined ? {} : { id: String(id) }),
    ...(email === undefined ? {} : { email: String(email) }),
    ...(traits ? { traits } : {}),
  };
}

export function createApi({ defaults = {}, origin, stub }: ApiSource): PlayheadApi {
  let recording: Recording | undefined;
  let waiting: (() => void) | undefined;
  let refused = false;
  let early: ((recording: Recording) => void)[] = [];

  const begin = (given: StartOptions): void => {
    if (recording) return;
    const options = withValidNumbers(given, warn);
    const settings = resolve(options, origin);
    if (typeof settings === 'string') {
      warn(settings);
      return;
    }
    recording = new Recording(settings, options, stub, () => {
      recording = undefined;
      refused = true;
    });
    recording.begin();
    for (const call of early.splice(0)) call(recording);
  };

  /** Runs now, or once recording has begun. */
  const when = (call: (recording: Recording) => void): void => {
    if (recording) call(recording);
    else if (!refused && early.length < MAX_EARLY_CALLS) early.push(call);
  };

  return {
    version: SDK_VERSION,
    start: guard((given?: Partial<StartOptions>) => {
      if (recording || waiting || refused) return;
      const options = { ...defaults, ...given } as StartOptions;
      const page = document as Document & { prerendering?: boolean };
      if (!page.prerendering) {
        begin(options);
        return;
      }
      waiting = () => {
        waiting = undefined;
        begin(options);
      };
      const shown = waiting;
      document.addEventListener('prerenderingchange', () => waiting === shown && attempt(shown), { once: true });
    }),
    stop: guard(() => {
      waiting = undefined;
      early = [];
      recording?.stop();
      recording = undefined;
    }),
    identify: guard((identity: Identity) =>
      when((current) => current.emit(identifySignal(identity, current.context.now()))),
    ),
    track: guard((name: string, properties?: Record<string, unknown>) =>
      when((current) => {
        const { privacy, now } = current.context;
        const clean = properties && attempt(() => cleanProperties(properties, privacy));
        current.emit({ k: 'custom', t: now(), name: String(name), ...(clean ? { properties: clean } : {}) });
      }),
    ),
    captureError: guard((error: unknown, context?: Record<string, unknown>, options?: CaptureErrorOptions) =>
      when((current) => {
        const fingerprint = options?.fingerprint;
        reportError(current.context, error, { mechanism: 'captured', handled: true, context, fingerprint });
      }),
    ),
    sessionUrl: guard(() => recording?.sessionUrl()),
  };
}
