import { formatAgo, formatFullTime, formatIso, formatShortTime } from '../format/time';
import { useNow } from './now';
import { useZoneMode } from './time-zone';

/** A wall-clock time; hovering shows it in full, with its zone, and in UTC. */
export function Time({ at, relative = false }: { at: number; relative?: boolean }) {
  const [zone] = useZoneMode();
  const now = useNow();
  const full = formatFullTime(at, zone);
  const title = zone === 'utc' ? full : `${full}\n${formatFullTime(at, 'utc')}`;
  return (
    <time dateTime={formatIso(at)} title={title}>
      {relative ? formatAgo(at, now) : formatShortTime(at, zone, now)}
    </time>
  );
}
