import type { ReplayState } from '../api/model';
import { Chip, type Tone } from './Chip';
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

/** What waits behind a link to a replay, and why. */
export function ReplayChip({ state, reasons }: { state: ReplayState; reasons: readonly string[] }) {
  const { label, tone, meaning } = STATES[state];
  const text = reasons.length > 0 ? reasons.join(' ') : meaning;
  return (
    <Tooltip text={text}>
      <Chip tone={tone} className={state} tabIndex={0} aria-label={`Replay: ${label}. ${text}`} role="note">
        {(state === 'live' || state === 'complete') && <span className="dot" />}
        {label}
      </Chip>
    </Tooltip>
  );
}
