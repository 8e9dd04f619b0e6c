import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import type { PlayerEngine } from './player/engine';

export const PANES = ['events', 'console', 'network', 'errors', 'details'] as const;
export type Pane = (typeof PANES)[number];

export interface ReplayView {
  pane: Pane;
  setPane: (pane: Pane) => void;
  /** The stream that is stayed on; null follows the focused tab. */
  tab: string | null;
  setTab: (tab: string | null) => void;
}

const WRITE_AFTER_MS = 250;

/** What the address holds: the moment, the open pane, the chosen tab. Opening such an address shows the same again. */
export function useReplayView(engine: PlayerEngine): ReplayView {
  const search: Record<string, string | undefined> = useSearch({ from: '/p/$project/sessions/$session' });
  const navigate = useNavigate({ from: '/p/$project/sessions/$session' });
  const write = useCallback(
    (change: Record<string, string | undefined>) => {
      void navigate({ search: (now) => ({ ...now, ...change }), replace: true, resetScroll: false });
    },
    [navigate],
  );
  useOpening(engine, search['t'], search['tab'] ?? null);
  useMomentInAddress(engine, write);
  const pane = PANES.find((each) => each === search['pane']) ?? 'events';
  return {
    pane,
    setPane: (next) => {
      write({ pane: next });
    },
    tab: search['tab'] ?? null,
    setTab: (tab) => {
      engine.choose(tab);
      write({ tab: tab ?? undefined });
    },
  };
}

/** A moment opens paused, exactly there; a live session opens at its end, running; any other at its start. */
function useOpening(engine: PlayerEngine, t: string | undefined, tab: string | null) {
  const opening = useRef({ t, tab });
  useEffect(() => {
    const wanted = opening.current.t;
    if (opening.current.tab !== null) engine.choose(opening.current.tab);
    if (wanted !== undefined && /^\d+(\.\d+)?$/.test(wanted)) {
      engine.seek(Number(wanted));
    } else if (engine.isLive) {
      engine.seek(engine.liveEdge);
      engine.play();
    } else {
      engine.seek(0);
    }
  }, [engine]);
}

/** Writes the moment into the address whenever the replay stands still at another one. */
function useMomentInAddress(engine: PlayerEngine, write: (change: Record<string, string>) => void) {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      clearTimeout(timer);
      if (engine.state.playing) return;
      timer = setTimeout(() => {
        write({ t: String(Math.round(engine.time)) });
      }, WRITE_AFTER_MS);
    };
    const stopTime = engine.onTime(later);
    const stopState = engine.subscribe(later);
    return () => {
      clearTimeout(timer);
      stopTime();
      stopState();
    };
  }, [engine, write]);
}
