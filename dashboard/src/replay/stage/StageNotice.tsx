import type { ReactNode } from 'react';
import type { Manifest } from '../../api/model';
import { formatDuration, formatPosition } from '../../format/duration';
import { formatAgo } from '../../format/time';
import { Button, Icon, type IconName, isQuiet, useNow } from '../../ui';
import { gapReason } from '../moments';
import { hasRecording, playable } from '../player/manifest';
import type { Shared } from '../Recording';
import { useAtPlayHead, usePlayerState } from '../use-player';

/** From one page of a tab to its next one takes a while, in which the old one stays in sight. */
const MOST_PAGE_LOAD_MS = 3000;

/** What lies over the stage when there is something to say: no recording, a gap, a wait, a skip, a failure. */
export function StageNotice(shared: Shared) {
  const { player, manifest } = shared;
  const state = usePlayerState(player.engine);
  const stream = manifest.streams.find((each) => each.id === state.stream);
  // A page on which nothing changed until it was left is shown until then: its recording is not over.
  const standsStill = useAtPlayHead(
    player.engine,
    (at) => state.outside === 'after' && stream !== undefined && at <= stream.to_ms + MOST_PAGE_LOAD_MS,
  );
  if (state.failure !== null) return <Failure {...shared} reason={state.failure} />;
  if (!hasRecording(manifest)) return <NoRecording manifest={manifest} />;
  if (stream !== undefined && playable(stream) === null) {
    return <Cover icon="sessions" title="This tab was not recorded" text="Its events are in the panes." />;
  }
  if (state.gap !== null) {
    const { from_ms, to_ms, reason, detail } = state.gap;
    const why = detail ? `${gapReason(reason)}: ${detail}` : gapReason(reason);
    return (
      <Cover icon="alert" veil title={`${formatDuration(to_ms - from_ms)} not recorded`} text={`Because ${why}.`} />
    );
  }
  if (state.outside !== null && stream !== undefined && !standsStill) {
    const span = playable(stream);
    const words =
      state.outside === 'before'
        ? `The recording of this tab begins at ${formatPosition(span?.from ?? 0)}.`
        : `The recording of this tab ends at ${formatPosition(span?.to ?? 0)}.`;
    return (
      <Cover
        icon="clock"
        veil
        title={state.outside === 'before' ? 'Not recorded yet' : 'Recording over'}
        text={words}
      />
    );
  }
  if (state.waiting) {
    const atEdge = player.engine.isLive && player.engine.time >= player.engine.liveEdge;
    return <Toast busy>{atEdge ? <AtLiveEdge lastHeard={manifest.ended_at} /> : 'Loading'}</Toast>;
  }
  if (state.skippedTo !== null) return <Toast>Skipped inactivity to {formatPosition(state.skippedTo)}</Toast>;
  if (state.cut !== null) return <Toast>A part of this recording is damaged: {gapReason(state.cut)}</Toast>;
  return null;
}

function AtLiveEdge({ lastHeard }: { lastHeard: number }) {
  const now = useNow();
  return isQuiet(lastHeard, now)
    ? `Nothing newer: last heard ${formatAgo(lastHeard, now)}`
    : 'Live: waiting for what happens next';
}

const WITHOUT_RECORDING: Partial<Record<Manifest['state'], { icon: IconName; title: string; text: string }>> = {
  not_sampled: {
    icon: 'filter',
    title: 'The page was not recorded',
    text: 'The sampling rate left this session’s recording out. Its events, requests and errors are all here.',
  },
  recorder_failed: {
    icon: 'alert',
    title: 'The recorder could not run',
    text: 'It stopped itself so as not to harm the page. Events, requests and errors went on being noticed.',
  },
  live: {
    icon: 'clock',
    title: 'Waiting for the first picture',
    text: 'The session has just begun. The recording shows as soon as its first part arrives.',
  },
};

function NoRecording({ manifest }: { manifest: Manifest }) {
  const known = WITHOUT_RECORDING[manifest.state] ?? {
    icon: 'alert' as const,
    title: 'There is no recording of the page',
    text: 'No part of it that can be shown arrived. Events, requests and errors are here.',
  };
  return (
    <Cover
      icon={known.icon}
      title={known.title}
      text={manifest.reasons.length > 0 ? `${known.text} ${manifest.reasons.join(' ')}` : known.text}
    />
  );
}

function Failure({ player, reason }: Shared & { reason: string }) {
  return (
    <Cover icon="alert" title="This part cannot be shown" text={`${reason}.`}>
      <Button
        kind="primary"
        onClick={() => {
          player.engine.seek(player.engine.time);
        }}
      >
        Try again
      </Button>
    </Cover>
  );
}

interface CoverProps {
  icon: IconName;
  title: string;
  text: string;
  /** Lets the page behind show through. */
  veil?: boolean;
  children?: ReactNode;
}

function Cover({ icon, title, text, veil = false, children }: CoverProps) {
  return (
    <div className={`stage-cover ${veil ? 'veil' : ''}`} role="status">
      <div className="stage-card">
        <Icon name={icon} />
        <strong>{title}</strong>
        <p>{text}</p>
        {children}
      </div>
    </div>
  );
}

function Toast({ children, busy = false }: { children: ReactNode; busy?: boolean }) {
  return (
    <div className={`stage-toast ${busy ? 'busy' : ''}`} role="status">
      {children}
    </div>
  );
}
