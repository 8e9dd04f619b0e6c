import { useEffect, useState } from 'react';

/** The current time, renewed at the interval, for "2 min ago". */
export function useNow(interval_ms = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, interval_ms);
    return () => {
      clearInterval(timer);
    };
  }, [interval_ms]);
  return now;
}

/** A page that is open and used sends something every few seconds. */
const QUIET_AFTER_MS = 60_000;

/** Whether a session that has not ended was not heard of for so long that nobody is likely to be there. */
export function isQuiet(lastHeard: number, now: number): boolean {
  return now - lastHeard > QUIET_AFTER_MS;
}
