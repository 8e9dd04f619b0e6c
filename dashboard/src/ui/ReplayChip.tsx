import type { ReplayState } from '../api/model';
import { formatAgo } from '../format/time';
import { Chip, type Tone } from './Chip';
import { isQuiet, useNow } from './now';
import { Tooltip } from './Tooltip';

const STATES: Record<ReplayState, { label: string; tone: Tone; meaning: string }> = {
  live: { label: 'live', tone: 'ok', meaning: 'Still recording: what was sent so far can be played.' },
  complete: { label: 'complete', tone: 'neutral', meaning: 'The whole recording can be played.' },
  partial: { label: 'partial', tone: 'warn', meaning: 'Parts of the recording are missing.' },
  not_sampled: {
    label: 'not sampled',
    tone: 'neutral',
    meaning: 'The sampling rate left the recording out; its events are there.',
  },
  recorder_failed: {
    label: 'recorder failed',
    tone: 'error',
    meaning: 'The recorder could not run in this page; its events are there.',
  },
  deleted: { label: 'deleted', tone: 'neutral', meaning: 'This session was deleted.' },
  expired: { label: 'expired', tone: 'neutral', meaning: 'The retention time of this session is over.' },
};

/** No end was told, and none is known before the idle limit; but whoever looks for a live page should not find it here. */
const QUIET = {
  label: 'open',
  tone: 'neutral' as const,
  meaning: 'The session may go on; what was sent so far can be played.',
};

interface ReplayChipProps {
  state: ReplayState;
  reasons: readonly string[];
  /** When the newest event happened, in milliseconds of the Unix epoch. */
  lastHeard: number;
}

/** What waits behind a link to a replay, and why. */
export function ReplayChip({ state, reasons, lastHeard }: ReplayChipProps) {
  const now = useNow();
  const quiet = state === 'live' && isQuiet(lastHeard, now);
  const { label, tone, meaning } = quiet ? QUIET : STATES[state];
  const said = reasons.length > 0 ? reasons.join(' ') : meaning;
  const text = quiet ? `Last heard ${formatAgo(lastHeard, now)}. ${said}` : said;
  return (
    <Tooltip text={text}>
      <Chip
        tone={tone}
        className={quiet ? 'quiet' : state}
        tabIndex={0}
        aria-label={`Replay: ${label}. ${text}`}
        role="note"
      >
        {((state === 'live' && !quiet) || state === 'complete') && <span className="dot" />}
        {label}
      </Chip>
    </Tooltip>
  );
}
