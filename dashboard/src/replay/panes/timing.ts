/** Where a request's time went, as far as the browser could tell. */
import { number } from '../moments';

export interface Split {
  part: 'network' | 'backend' | 'frontend' | 'unknown';
  duration_ms: number;
}

const NETWORK = ['queued_ms', 'dns_ms', 'connect_ms', 'tls_ms', 'send_ms', 'download_ms'];

/**
 * Network: queueing in the browser, connecting and transfer. Backend: waiting for the first byte. Frontend: from the
 * answer's end to the frame that showed it, which comes on top of the request's own duration.
 * What is not covered by a measurement is unknown, never guessed.
 */
export function splitTime(data: Record<string, unknown>): Split[] {
  const total = number(data['duration_ms']);
  if (total === null) return [];
  const timing = asRecord(data['timing']);
  const network = NETWORK.reduce((sum, name) => sum + (number(timing[name]) ?? 0), 0);
  const backend = number(timing['wait_ms']) ?? 0;
  const unknown = Math.max(0, total - network - backend);
  const parts: Split[] = [
    { part: 'network', duration_ms: network },
    { part: 'backend', duration_ms: backend },
    { part: 'unknown', duration_ms: unknown < 1 ? 0 : unknown },
    { part: 'frontend', duration_ms: number(data['frontend_ms']) ?? 0 },
  ];
  return parts.filter(({ duration_ms }) => duration_ms > 0);
}

/** From the request's start until its answer was shown, as far as that is known. */
export function wholeTime(data: Record<string, unknown>): number {
  return (number(data['duration_ms']) ?? 0) + (number(data['frontend_ms']) ?? 0);
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
