import { DropdownMenu } from 'radix-ui';
import { formatPosition } from '../../format/duration';
import { formatCountOf } from '../../format/number';
import { formatClock, formatFullTime, formatIso } from '../../format/time';
import { Button, Chip, copyText, Icon, isQuiet, toast, Tooltip, useNow, useZoneMode } from '../../ui';
import { laneOf, type Moment, stepMarker } from '../moments';
import { SPEEDS } from '../player/engine';
import type { Shared } from '../Recording';
import { STEP_MS } from '../use-replay-keys';
import { useAtPlayHead, usePlayerState } from '../use-player';

/** Play, time, speed, steps; and how many things there are to look at. */
export function Controls(shared: Shared) {
  const { engine } = shared.player;
  return (
    <div className="controls">
      <PlayButton {...shared} />
      <Position {...shared} />
      <span className="control-group">
        <Button
          kind="ghost"
          className="jump"
          title="Back 10 s (←)"
          aria-label="Back 10 s"
          onClick={() => {
            engine.seek(engine.time - STEP_MS);
          }}
        >
          −10 s
        </Button>
        <Button
          kind="ghost"
          className="jump"
          title="Ahead 10 s (→)"
          aria-label="Ahead 10 s"
          onClick={() => {
            engine.seek(engine.time + STEP_MS);
          }}
        >
          +10 s
        </Button>
      </span>
      <SpeedMenu {...shared} />
      <SkipToggle {...shared} />
      <LiveButton {...shared} />
      <span className="grow" />
      <span className="control-group">
        <StepButton {...shared} direction={-1} />
        <span className="muted wide-only" aria-hidden="true">
          marker
        </span>
        <StepButton {...shared} direction={1} />
      </span>
      <MarkerCounts {...shared} />
    </div>
  );
}

function PlayButton({ player }: Shared) {
  const { playing, ended } = usePlayerState(player.engine);
  const label = playing ? 'Pause' : ended ? 'Play again' : 'Play';
  return (
    <Tooltip text={`${label} (Space)`}>
      <button
        type="button"
        className="play"
        aria-label={label}
        onClick={() => {
          player.engine.toggle();
        }}
      >
        <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <path d={playing ? 'M2 1h3v10H2zM7 1h3v10H7z' : 'M2.500 1l8 5-8 5z'} fill="currentColor" />
        </svg>
      </button>
    </Tooltip>
  );
}

function copy(text: string) {
  void copyText(text).then((copied) => {
    toast(copied ? `${text} copied` : text, copied ? 'ok' : 'info');
  });
}

/** Relative time, and the wall clock beside it; a click copies. */
function Position({ player, manifest }: Shared) {
  const [zone, setZone] = useZoneMode();
  const { engine } = player;
  const relative = useAtPlayHead(engine, (at) => formatPosition(at, true));
  const wall = useAtPlayHead(engine, (at) => formatClock(manifest.started_at + at, zone));
  return (
    <span className="position">
      <button
        type="button"
        className="plain time"
        title="Copy the relative time"
        onClick={() => {
          copy(relative);
        }}
      >
        {relative}
      </button>
      <span className="muted num wide-only">/ {formatPosition(manifest.duration_ms)}</span>
      <button
        type="button"
        className="plain muted num wide-only"
        title={`${formatFullTime(manifest.started_at + engine.time, zone)}\nClick to copy`}
        onClick={() => {
          copy(formatIso(manifest.started_at + engine.time));
        }}
      >
        {wall}
      </button>
      <button
        type="button"
        className="plain zone muted wide-only"
        aria-label={zone === 'utc' ? 'Times are UTC: show local time' : 'Times are local: show UTC'}
        onClick={() => {
          setZone(zone === 'utc' ? 'local' : 'utc');
        }}
      >
        {zone === 'utc' ? 'UTC' : 'local'}
      </button>
    </span>
  );
}

function SpeedMenu({ player }: Shared) {
  const { speed } = usePlayerState(player.engine);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="chip-button chip" aria-label={`Speed ${String(speed)}×`}>
        {speed}×
        <Icon name="down" small />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu speed-menu" side="top" align="start" sideOffset={6}>
          {SPEEDS.map((each) => (
            <DropdownMenu.Item
              key={each}
              className="menu-item"
              onSelect={() => {
                player.engine.setSpeed(each);
              }}
            >
              <span className="grow num">{each}×</span>
              {each === speed && <Icon name="check" small />}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function SkipToggle({ player }: Shared) {
  const { skipsInactivity } = usePlayerState(player.engine);
  return (
    <button
      type="button"
      className={`chip-button chip ${skipsInactivity ? 'info' : ''}`}
      aria-pressed={skipsInactivity}
      onClick={() => {
        player.engine.setSkipsInactivity(!skipsInactivity);
      }}
    >
      {skipsInactivity && <Icon name="check" small />}
      skip inactivity
    </button>
  );
}

function LiveButton({ player, manifest }: Shared) {
  const { engine } = player;
  const behind = useAtPlayHead(engine, (at) => engine.liveEdge - at > 3000);
  const now = useNow();
  if (manifest.state !== 'live' || isQuiet(manifest.ended_at, now)) return null;
  return (
    <button
      type="button"
      className="chip-button chip ok live"
      disabled={!behind}
      onClick={() => {
        engine.seek(engine.liveEdge);
        engine.play();
      }}
    >
      <span className="dot" />
      {behind ? 'go to live' : 'live'}
    </button>
  );
}

function StepButton({ player, markers, pick, direction }: Shared & { direction: 1 | -1 }) {
  const { engine } = player;
  const possible = useAtPlayHead(engine, (at) => stepMarker(markers, at, direction) !== null);
  const step = () => {
    const marker = stepMarker(markers, engine.time, direction);
    if (marker === null) return;
    pick(marker);
    engine.seek(marker.at);
  };
  return (
    <Button
      kind="ghost"
      disabled={!possible}
      onClick={step}
      aria-label={direction === 1 ? 'Next marker' : 'Previous marker'}
      title={direction === 1 ? 'Next marker (j)' : 'Previous marker (k)'}
    >
      <Icon name={direction === 1 ? 'right' : 'left'} small />
    </Button>
  );
}

function MarkerCounts({ markers, view, player, pick }: Shared) {
  const of = (test: (moment: Moment) => boolean) => markers.filter(test);
  const groups = [
    { tone: 'error' as const, name: 'error', pane: 'errors' as const, found: of((each) => laneOf(each) === 'Errors') },
    {
      tone: 'error' as const,
      name: 'failed',
      pane: 'network' as const,
      found: of((each) => each.kind === 'request' && each.tone === 'error'),
    },
    {
      tone: 'warn' as const,
      name: 'slow',
      pane: 'network' as const,
      found: of((each) => each.kind === 'request' && each.tone === 'warn'),
    },
    {
      tone: 'frustration' as const,
      name: 'frustrated',
      pane: 'events' as const,
      found: of((each) => laneOf(each) === 'Frustration'),
    },
  ];
  return (
    <span className="marker-counts">
      {groups.map(({ tone, name, pane, found }) => {
        const [first] = found;
        if (first === undefined) return null;
        return (
          <button
            key={name}
            type="button"
            className="plain"
            title={`Show the first: ${first.label} ${first.title}`}
            onClick={() => {
              view.setPane(pane);
              pick(first);
              player.engine.seek(first.at);
            }}
          >
            <Chip tone={tone}>{formatCountOf(found.length, name, name === 'error' ? 'errors' : name)}</Chip>
          </button>
        );
      })}
    </span>
  );
}
