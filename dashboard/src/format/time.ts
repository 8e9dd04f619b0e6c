/** Whether wall-clock times are shown in the reader's zone or in UTC. */
export type ZoneMode = 'local' | 'utc';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatWith(zone: ZoneMode, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone}/${name}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { ...options, ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) });
    formats.set(key, format);
  }
  return format;
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/** `14:05:09`, with milliseconds `14:05:09.120`. */
export const formatClock = (time: number, zone: ZoneMode, milliseconds = false): string =>
  milliseconds
    ? formatWith(zone, 'clock-ms', { ...CLOCK, fractionalSecondDigits: 3 }).format(time)
    : formatWith(zone, 'clock', CLOCK).format(time);

/** `22 Nov, 14:05`, or `14:05` alone when it is today. */
export function formatShortTime(time: number, zone: ZoneMode, now: number): string {
  const minute = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const day = formatWith(zone, 'day', { ...DAY, year: 'numeric' });
  const clock = formatWith(zone, 'minute', minute).format(time);
  if (day.format(time) === day.format(now)) return clock;
  return `${formatWith(zone, 'short-day', DAY).format(time)}, ${clock}`;
}

/** `Sun 22 Nov 2026, 14:05:09 CET`: everything, zone included. */
export const formatFullTime = (time: number, zone: ZoneMode): string =>
  formatWith(zone, 'full', {
    weekday: 'short',
    year: 'numeric',
    ...DAY,
    ...CLOCK,
    timeZoneName: 'short',
  }).format(time);

/** `2026-11-22T13:05:09.120Z`: what is copied. */
export const formatIso = (time: number): string => new Date(time).toISOString();

const STEPS: [limit: number, unit: number, name: string][] = [
  [60_000, 1000, 's'],
  [3_600_000, 60_000, 'min'],
  [48 * 3_600_000, 3_600_000, 'h'],
  [Number.POSITIVE_INFINITY, 86_400_000, 'd'],
];

/** `just now`, `12 s ago`, `2 min ago`, `3 h ago`, `5 d ago`; the future is `in 3 d`. */
export function formatAgo(time: number, now: number): string {
  const distance = Math.abs(now - time);
  if (distance < 5000) return 'just now';
  const [, unit, name] = STEPS.find(([limit]) => distance < limit) ?? [0, 86_400_000, 'd'];
  const text = `${String(Math.floor(distance / unit))} ${name}`;
  return time > now ? `in ${text}` : `${text} ago`;
}
