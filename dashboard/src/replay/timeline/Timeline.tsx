import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { formatDuration, formatPosition } from '../../format/duration';
import { formatClock } from '../../format/time';
import { useZoneMode } from '../../ui';
import { gapReason, LANES, laneOf, type Lane, type Moment } from '../moments';
import type { PlayerEngine } from '../player/engine';
import type { Shared } from '../Recording';
import { usePlayerState } from '../use-player';
import { activityOf, type Box, boxesOf, share } from './lanes';

const STEPS = 60;
const PAGE_STEPS = 10;
/** A pointer that does not move for so long rests. */
const REST_MS = 60;

/** The session from left to right. The whole of it is one slider; markers are drawn in its lanes. */
export function Timeline(shared: Shared) {
  const { player, moments, markers, manifest, picked } = shared;
  const duration = manifest.duration_ms;
  const activity = useMemo(() => activityOf(moments, duration, STEPS), [moments, duration]);
  const lanes = useMemo(
    () =>
      LANES.map((lane) => ({
        lane,
        boxes: boxesOf(
          markers.filter((marker) => laneOf(marker) === lane),
          duration,
        ),
      })),
    [markers, duration],
  );
  return (
    <div className="lanes">
      <div className="lane-names" aria-hidden="true">
        <span>Activity</span>
        {LANES.map((lane) => (
          <span key={lane}>{lane}</span>
        ))}
      </div>
      <Track {...shared}>
        <div className="lane">
          {activity.map((height, index) => (
            <i
              key={index}
              className="activity"
              style={{ left: `${String((index / STEPS) * 100)}%`, opacity: height === 0 ? 0 : 0.25 + height * 0.75 }}
            />
          ))}
          <Gaps {...shared} />
        </div>
        {lanes.map(({ lane, boxes }) => (
          <div key={lane} className="lane">
            {boxes.map((box) => (
              <LaneBox key={box.moment.id} box={box} lane={lane} />
            ))}
          </div>
        ))}
        {picked !== null && (
          <i className={`flag ${picked.tone}`} style={{ left: `${String(share(picked.at, duration) * 100)}%` }} />
        )}
        <PlayHead {...shared} />
      </Track>
      <span className="hidden-text" aria-live="polite">
        {player.engine.isLive ? 'This session is live.' : ''}
      </span>
    </div>
  );
}

function LaneBox({ box, lane }: { box: Box; lane: Lane }) {
  const { moment, from, to } = box;
  const width = Math.max(0, to - from) * 100;
  return (
    <i
      className={`marker ${lane.toLowerCase()} ${moment.tone}`}
      style={{ left: `${String(from * 100)}%`, width: `${width.toFixed(3)}%` }}
    />
  );
}

function Gaps({ manifest, player }: Shared) {
  const { stream } = usePlayerState(player.engine);
  const gaps = manifest.streams.find((each) => each.id === stream)?.gaps ?? [];
  return gaps.map((gap) => (
    <i
      key={gap.from_ms}
      className="gap"
      style={{
        left: `${String(share(gap.from_ms, manifest.duration_ms) * 100)}%`,
        width: `${String(share(gap.to_ms - gap.from_ms, manifest.duration_ms) * 100)}%`,
      }}
    />
  ));
}

/** Moves with the time without rendering anything again. */
function PlayHead({ player, manifest }: Shared) {
  const head = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const move = (at: number) => {
      head.current?.style.setProperty('left', `${(share(at, manifest.duration_ms) * 100).toFixed(4)}%`);
    };
    move(player.engine.time);
    return player.engine.onTime(move);
  }, [player, manifest.duration_ms]);
  return <div className="play-head" ref={head} aria-hidden="true" />;
}

/** Fetches the moment that the pointer rests on, so that a click finds it there. */
function usePrefetch(engine: PlayerEngine, hover: number | null): void {
  useEffect(() => {
    if (hover === null) return;
    const timer = setTimeout(() => {
      engine.prefetch(hover);
    }, REST_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [engine, hover]);
}

function Track({ children, ...shared }: Shared & { children: React.ReactNode }) {
  const { player, manifest } = shared;
  const { engine } = player;
  const track = useRef<HTMLDivElement>(null);
  const [hover, setHover] = useState<number | null>(null);
  const timeAt = (event: PointerEvent): number => {
    const box = track.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return share(event.clientX - box.left, box.width) * manifest.duration_ms;
  };
  useSliderValue(track, shared);
  usePrefetch(engine, hover);
  return (
    <div
      ref={track}
      className="track"
      role="slider"
      tabIndex={0}
      aria-label="Position in the session"
      aria-valuemin={0}
      aria-valuemax={Math.round(manifest.duration_ms)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        engine.seek(snap(shared, timeAt(event)));
      }}
      onPointerMove={(event) => {
        const at = timeAt(event);
        setHover(at);
        if (event.currentTarget.hasPointerCapture(event.pointerId)) engine.seek(at);
      }}
      onPointerLeave={() => {
        setHover(null);
      }}
      onKeyDown={(event) => {
        moveByKey(event, shared);
      }}
    >
      {children}
      {hover !== null && <HoverTime at={hover} {...shared} />}
    </div>
  );
}

/** A click that nearly hits a marker means the marker. */
function snap({ markers, manifest, pick }: Shared, at: number): number {
  const reach = manifest.duration_ms * 0.004;
  let nearest: Moment | null = null;
  for (const marker of markers) {
    const distance = Math.abs(marker.at - at);
    if (distance <= reach && distance < Math.abs((nearest?.at ?? Infinity) - at)) nearest = marker;
  }
  if (nearest === null || nearest.kind === 'navigation' || nearest.kind === 'page') return at;
  pick(nearest);
  return nearest.at;
}

function moveByKey(event: KeyboardEvent, { player, manifest }: Shared) {
  const { engine } = player;
  const page = manifest.duration_ms / PAGE_STEPS;
  const targets: Partial<Record<string, number>> = {
    Home: 0,
    End: manifest.duration_ms,
    PageUp: engine.time + page,
    PageDown: engine.time - page,
    ArrowUp: engine.time + 1000,
    ArrowDown: engine.time - 1000,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  engine.seek(target);
}

/** The slider's value for assistive technology: kept up to date without rendering, at most twice a second. */
function useSliderValue(track: React.RefObject<HTMLDivElement | null>, { player }: Shared) {
  useEffect(() => {
    let told = Number.NEGATIVE_INFINITY;
    const tell = (at: number) => {
      if (Math.abs(at - told) < 500) return;
      told = at;
      track.current?.setAttribute('aria-valuenow', String(Math.round(at)));
      track.current?.setAttribute('aria-valuetext', formatPosition(at));
    };
    tell(player.engine.time);
    return player.engine.onTime(tell);
  }, [track, player]);
}

function HoverTime({ at, manifest, markers, player }: Shared & { at: number }) {
  const [zone] = useZoneMode();
  const { stream } = usePlayerState(player.engine);
  const reach = manifest.duration_ms * 0.006;
  const near = markers.filter((marker) => Math.abs(marker.at - at) <= reach).slice(0, 4);
  const gap = manifest.streams
    .find((each) => each.id === stream)
    ?.gaps.find((each) => each.from_ms <= at && at < each.to_ms);
  return (
    <div
      className={`hover-time ${at > manifest.duration_ms / 2 ? 'to-left' : ''}`}
      style={{ left: `${String(share(at, manifest.duration_ms) * 100)}%` }}
    >
      <span className="num">
        {formatPosition(at, true)} <span className="hover-wall">{formatClock(manifest.started_at + at, zone)}</span>
      </span>
      {gap && <span>{`${formatDuration(gap.to_ms - gap.from_ms)} not recorded: ${gapReason(gap.reason)}`}</span>}
      {near.map((marker) => (
        <span key={marker.id} className="ell">
          {marker.label} {marker.title}
          {marker.findings && ` · ${marker.findings.map(({ words }) => words).join('; ')}`}
        </span>
      ))}
    </div>
  );
}
