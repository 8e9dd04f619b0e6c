/**
 * Three independent, uniform numbers in [0, 1) out of a session's random id: every tab and page of the session decides alike.
 */
export function shareOf(session: string, purpose: 'dom' | 'error' | 'signals'): number {
  const at = { dom: 0, error: 8, signals: 16 }[purpose];
  return parseInt(session.slice(at, at + 8), 16) / 2 ** 32;
}
