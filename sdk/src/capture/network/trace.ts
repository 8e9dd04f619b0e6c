/** The trace that a request belongs to, by the W3C form `00-<trace>-<span>-<flags>`. */
export function traceOf(traceparent: string | null | undefined): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent ?? '')?.[1];
}
