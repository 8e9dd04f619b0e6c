/** How far the monotonic clock may fall behind the wall clock (a machine that slept) before it is set forward. */
const MAX_LAG_MS = 50;

/** Milliseconds of the Unix epoch, with fractions, never going back within the document. */
export function createClock(): () => number {
  let origin = Date.now() - performance.now();
  return () => {
    const now = origin + performance.now();
    const lag = Date.now() - now;
    if (lag > MAX_LAG_MS) {
      origin += lag;
      return Math.round((now + lag) * 10) / 10;
    }
    return Math.round(now * 10) / 10;
  };
}
