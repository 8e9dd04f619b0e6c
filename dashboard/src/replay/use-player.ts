import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Manifest } from '../api/model';
import { isActive, type Moment } from './moments';
import { PlayerEngine, type PlayerState } from './player/engine';
import { FramePort } from './player/port';
import type { OpenCost } from './protocol';
import { SegmentLoader } from './player/segments';

export interface Player {
  engine: PlayerEngine;
  /** Tells the player in which frame the stage is. */
  attachStage: (frame: HTMLIFrameElement | null) => void;
}

/** One engine for one session, kept up to date with its manifest and signals. Null until it is mounted. */
export function usePlayer(manifest: Manifest, moments: readonly Moment[], onStale: () => void): Player | null {
  const frame = useRef<HTMLIFrameElement | null>(null);
  const attachStage = useCallback((element: HTMLIFrameElement | null) => {
    frame.current = element;
  }, []);
  const [engine, setEngine] = useState<PlayerEngine | null>(null);
  const latest = useRef({ manifest, onStale });
  useEffect(() => {
    latest.current = { manifest, onStale };
  });
  const session = manifest.session_id;
  useEffect(() => {
    const port = new FramePort(() => frame.current);
    const disconnect = port.connect();
    const made = new PlayerEngine(latest.current.manifest, {
      port,
      loader: new SegmentLoader(),
      onStale: () => {
        latest.current.onStale();
      },
      onShown: markFirstFrame,
    });
    setEngine(made);
    return () => {
      made.destroy();
      disconnect();
      setEngine(null);
    };
  }, [session]);
  useEffect(() => engine?.update(manifest), [engine, manifest]);
  useEffect(() => {
    engine?.attend(
      moments.map((moment) => ({
        at_ms: moment.at,
        stream: moment.stream,
        kind: moment.kind,
        visible: visibilityOf(moment),
      })),
      moments.filter(isActive).map((moment) => moment.at),
    );
  }, [engine, moments]);
  return useMemo(() => (engine === null ? null : { engine, attachStage }), [engine, attachStage]);
}

const FIRST_FRAME = 'playhead-first-frame';
const MOST_MARKS = 200;

/** Marks, for measurements, when what was sought has been painted. */
function markFirstFrame(cost: OpenCost | null) {
  requestAnimationFrame(() => {
    setTimeout(() => {
      if (performance.getEntriesByName(FIRST_FRAME).length >= MOST_MARKS) performance.clearMarks(FIRST_FRAME);
      performance.mark(FIRST_FRAME, { detail: cost });
    });
  });
}

function visibilityOf(moment: Moment): boolean | undefined {
  const state =
    moment.kind === 'visibility'
      ? moment.data['state']
      : moment.kind === 'page'
        ? moment.data['visibility']
        : undefined;
  return state === undefined ? undefined : state !== 'hidden';
}

export function usePlayerState(engine: PlayerEngine): PlayerState {
  return useSyncExternalStore(engine.subscribe, () => engine.state);
}

/** A value that depends on the time; the component renders again only when the value is another one. */
export function useAtPlayHead<Value extends string | number | boolean | null>(
  engine: PlayerEngine,
  read: (at: number) => Value,
): Value {
  const subscribe = useCallback((listener: () => void) => engine.onTime(listener), [engine]);
  return useSyncExternalStore(subscribe, () => read(engine.time));
}
