import { useSyncExternalStore } from 'react';
import type { ZoneMode } from '../format/time';

const STORAGE_KEY = 'playhead.zone';
const listeners = new Set<() => void>();

function read(): ZoneMode {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'utc' ? 'utc' : 'local';
  } catch {
    return 'local';
  }
}
let mode = read();

function setZoneMode(next: ZoneMode) {
  mode = next;
  try {
    localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** Whether wall-clock times are local or UTC, for the whole dashboard, and how to change it. */
export function useZoneMode(): [ZoneMode, (mode: ZoneMode) => void] {
  return [useSyncExternalStore(subscribe, () => mode), setZoneMode];
}
