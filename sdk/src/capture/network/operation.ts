import { loadLate } from '../late/load.js';
import type { Flight } from './flight.js';

/** Notes what a request calls its operation if it may be a GraphQL one: the chunk that looks closer is not asked for others. */
export function noteOperation({ address, pending, signal }: Flight, body: unknown): void {
  if (!/"query"|persistedQuery|[?&]query=/.test(typeof body === 'string' ? body : address)) return;
  const note = async (): Promise<void> => {
    const operation = (await loadLate())?.operationOf(address, body);
    if (operation) signal.operation = operation;
  };
  pending.push(note());
}
