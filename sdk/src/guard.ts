let failures = 0;

/** Failures of our own that were swallowed, for tests and the curious. */
export function failureCount(): number {
  return failures;
}

/** Runs what must never disturb the page. */
export function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    failures++;
    return undefined;
  }
}

/** The same as a wrapper that keeps `this` and the arguments. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a guard accepts any function
export function guard<F extends (...args: any[]) => any>(callback: F): F {
  return function (this: unknown, ...args: unknown[]) {
    try {
      return callback.apply(this, args) as unknown;
    } catch {
      failures++;
      return undefined;
    }
  } as F;
}

/** Listens, guarded; returns the undo. */
export function listen(
  target: EventTarget,
  type: string,
  listener: (event: Event) => void,
  options: AddEventListenerOptions = {},
): () => void {
  const guarded = guard(listener);
  target.addEventListener(type, guarded, options);
  return () => target.removeEventListener(type, guarded, options);
}
