/** Where a request's time went, as far as the browser could tell. */
import { number } from '../moments';

export interface Split {
  part: 'network' | 'backend' | 'frontend' | 'unknown';
  duration_ms: number;
}

const NETWORK = ['queued_ms', 'dns_ms', 'connect_ms', 'tls_ms', 'send_ms', 'download_ms'];

/**
 * Network: queueing in the browser, connecting and transfer. Backend: what the server says it took, in `Server-Timing` or by its span
 * (`spanMs`), and else the waiting for the first byte. Frontend: from the answer's end to the frame that showed it, which comes on top of
 * the request's own duration. What is not covered by a measurement is unknown, never guessed.
 */
export function splitTime(data: Record<string, unknown>, spanMs: number | null = null): Split[] {
  const total = number(data['duration_ms']);
  if (total === null) return [];
  const timing = asRecord(data['timing']);
  const wait = number(timing['wait_ms']) ?? 0;
  const told = serverTime(data) ?? spanMs;
  // A server cannot have taken longer than the whole request: its clock is coarse, or it counts work that went on.
  const backend = told === null ? wait : Math.min(told, total);
  // Waiting that the server does not account for is the way there and back.
  const travel = Math.max(0, wait - backend);
  const measured = NETWORK.reduce((sum, name) => sum + (number(timing[name]) ?? 0), travel);
  const network = Math.min(measured, total - backend);
  const unknown = Math.max(0, total - network - backend);
  const parts: Split[] = [
    { part: 'network', duration_ms: network },
    { part: 'backend', duration_ms: backend },
    { part: 'unknown', duration_ms: unknown < 1 ? 0 : unknown },
    { part: 'frontend', duration_ms: number(data['frontend_ms']) ?? 0 },
  ];
  return parts.filter(({ duration_ms }) => duration_ms > 0);
}

/** Of `Server-Timing`: the entry `total`, or else the longest, as they may overlap. */
export function serverTime(data: Record<string, unknown>): number | null {
  const entries = Array.isArray(data['server_timing']) ? data['server_timing'].map(asRecord) : [];
  const durations = entries.map((entry) => number(entry['duration_ms']) ?? 0);
  const total = entries.findIndex(({ name }) => typeof name === 'string' && name.toLowerCase() === 'total');
  const longest = durations[total] || Math.max(0, ...durations);
  return longest > 0 ? longest : null;
}

/** From the request's start until its answer was shown, as far as that is known. */
export function wholeTime(data: Record<string, unknown>): number {
  return (number(data['duration_ms']) ?? 0) + (number(data['frontend_ms']) ?? 0);
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
