import { formatPosition } from '../format/duration';
import { copyText, toast, useShortcuts } from '../ui';
import { stepMarker } from './moments';
import { SPEEDS } from './player/engine';
import type { PlayerEngine } from './player/engine';
import type { Shared } from './Recording';

export const STEP_MS = 10_000;
const SMALL_STEP_MS = 1000;

export function changeSpeed(engine: PlayerEngine, step: 1 | -1) {
  const index = SPEEDS.findIndex((speed) => speed === engine.state.speed);
  engine.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + step))] ?? 1);
}

/** The address of this session at a moment. */
export function linkAt(at: number): string {
  const link = new URL(window.location.pathname, window.location.origin);
  link.searchParams.set('t', String(Math.round(at)));
  return link.href;
}

export function copyLink(engine: PlayerEngine) {
  const at = engine.time;
  void copyText(linkAt(at)).then((copied) => {
    if (copied) toast(`Link to ${formatPosition(at)} copied`, 'ok');
    else toast(linkAt(at), 'info');
  });
}

export function useReplayKeys({ player, markers, pick }: Shared) {
  const { engine } = player;
  const seekBy = (distance: number) => () => {
    engine.seek(engine.time + distance);
  };
  const step = (direction: 1 | -1) => () => {
    const marker = stepMarker(markers, engine.time, direction);
    if (marker === null) return;
    pick(marker);
    engine.seek(marker.at);
  };
  useShortcuts('Replay', [
    {
      keys: ' ',
      label: 'Play or pause',
      run: () => {
        engine.toggle();
      },
    },
    {
      keys: 'ArrowLeft',
      label: 'Back 10 s (Shift: 1 s)',
      run: (event) => {
        seekBy(event.shiftKey ? -SMALL_STEP_MS : -STEP_MS)();
      },
    },
    {
      keys: 'ArrowRight',
      label: 'Ahead 10 s (Shift: 1 s)',
      run: (event) => {
        seekBy(event.shiftKey ? SMALL_STEP_MS : STEP_MS)();
      },
    },
    { keys: 'j', label: 'Next marker', run: step(1) },
    { keys: 'k', label: 'Previous marker', run: step(-1) },
    {
      keys: '[',
      label: 'Slower',
      run: () => {
        changeSpeed(engine, -1);
      },
    },
    {
      keys: ']',
      label: 'Faster',
      run: () => {
        changeSpeed(engine, 1);
      },
    },
    {
      keys: 't',
      label: 'Copy link to this moment',
      run: () => {
        copyLink(engine);
      },
    },
    {
      keys: '/',
      label: 'Search in the pane',
      run: () => {
        document.querySelector<HTMLInputElement>('.panes input[type=search]')?.focus();
      },
    },
  ]);
}
