/** Where a request's time went, as far as the browser could tell. */
import { number } from '../moments';

export interface Split {
  part: 'frontend' | 'network' | 'backend' | 'unknown';
  duration_ms: number;
}

const NETWORK = ['dns_ms', 'connect_ms', 'tls_ms', 'send_ms', 'download_ms'];

/**
 * Frontend: before the request was sent. Network: connecting and transfer. Backend: waiting for the first byte.
 * What is not covered by a measurement is unknown, never guessed.
 */
export function splitTime(data: Record<string, unknown>): Split[] {
  const total = number(data['duration_ms']);
  if (total === null) return [];
  const timing = asRecord(data['timing']);
  const frontend = (number(data['frontend_ms']) ?? 0) + (number(timing['queued_ms']) ?? 0);
  const network = NETWORK.reduce((sum, name) => sum + (number(timing[name]) ?? 0), 0);
  const backend = number(timing['wait_ms']) ?? 0;
  const unknown = Math.max(0, total - frontend - network - backend);
  const parts: Split[] = [
    { part: 'frontend', duration_ms: frontend },
    { part: 'network', duration_ms: network },
    { part: 'backend', duration_ms: backend },
    { part: 'unknown', duration_ms: unknown < 1 ? 0 : unknown },
  ];
  return parts.filter(({ duration_ms }) => duration_ms > 0);
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
