import { type MouseEvent, useMemo, useState } from 'react';
import type { Manifest, Session } from '../api/model';
import { useIssueIds } from '../issues/queries';
import { laneOf, leadIn, type Moment } from './moments';
import { Panes } from './panes/Panes';
import { ReplayTopBar } from './ReplayTopBar';
import { StageArea } from './stage/StageArea';
import { Controls } from './timeline/Controls';
import { Timeline } from './timeline/Timeline';
import { useEvents } from './use-events';
import { useFindings } from './use-findings';
import { type Player, usePlayer } from './use-player';
import { useReplayKeys } from './use-replay-keys';
import { type ReplayView, useFirstProblem, useReplayView } from './use-replay-view';

interface RecordingProps {
  session: Session;
  manifest: Manifest;
  reload: () => void;
}

export function Recording({ session, manifest, reload }: RecordingProps) {
  const events = useFindings(session, useEvents(session.project_id, session.id, manifest.state === 'live'));
  const player = usePlayer(manifest, events.moments, reload);
  return (
    <div className="replay" onClick={releaseFocus}>
      {player === null ? null : <Playing session={session} manifest={manifest} events={events} player={player} />}
    </div>
  );
}

/** After a click with the pointer the keys are the player's again: space must not press the button that was clicked last. */
function releaseFocus(event: MouseEvent<HTMLElement>) {
  const focused = document.activeElement;
  const isControl = focused instanceof HTMLElement && focused.matches('button, [role=tab]');
  if (event.detail > 0 && isControl && event.currentTarget.contains(focused)) focused.blur();
}

interface PlayingProps {
  session: Session;
  manifest: Manifest;
  events: ReturnType<typeof useEvents>;
  player: Player;
}

/** What the panes, the time line and the keys share. */
export interface Shared {
  session: Session;
  manifest: Manifest;
  player: Player;
  moments: readonly Moment[];
  markers: readonly Moment[];
  view: ReplayView;
  /** The moment that was picked last: marked on the time line, open in its pane. */
  picked: Moment | null;
  pick: (moment: Moment | null) => void;
  /** Goes to the moment itself. */
  seekTo: (moment: Moment) => void;
  /** Goes to a little before it, to see what led there. */
  watchBefore: (moment: Moment) => void;
}

function Playing({ session, manifest, events, player }: PlayingProps) {
  const { moments } = events;
  const view = useReplayView(player.engine, manifest);
  const [picked, pick] = useState<Moment | null>(null);
  const markers = useMemo(() => moments.filter((moment) => laneOf(moment) !== null), [moments]);
  const shared: Shared = {
    session,
    manifest,
    player,
    moments,
    markers,
    view,
    picked,
    pick,
    seekTo: (moment) => {
      pick(moment);
      player.engine.seek(moment.at);
    },
    watchBefore: (moment) => {
      pick(moment);
      player.engine.seek(leadIn(moment.at));
      player.engine.play();
    },
  };
  useReplayKeys(shared);
  const issues = useIssueIds(session.project_id, view.issue);
  useFirstProblem(view.pane, moments, events.loading, issues, (first, lead_ms) => {
    player.engine.pause();
    pick(first);
    player.engine.seek(Math.max(0, first.at - lead_ms));
  });
  return (
    <>
      <ReplayTopBar {...shared} />
      <div className="replay-work">
        <section className="replay-left" aria-label="Player">
          <StageArea {...shared} />
          <div className="timeline">
            <Controls {...shared} />
            <Timeline {...shared} />
          </div>
        </section>
        <Panes {...shared} events={events} />
      </div>
    </>
  );
}
