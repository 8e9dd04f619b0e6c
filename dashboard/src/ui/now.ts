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
