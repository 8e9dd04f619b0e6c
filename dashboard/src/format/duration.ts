const pad = (value: number) => String(value).padStart(2, '0');

/** `84 ms`, `2.31 s`, `42 s`, `4 min 12 s`, `1 h 05 min`: a length of time in the two units that matter. */
export function formatDuration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–';
  const length = Math.max(0, milliseconds);
  if (length < 999.5) return `${String(Math.round(length))} ms`;
  if (length < 9_995) return `${(length / 1000).toFixed(2)} s`;
  const seconds = Math.round(length / 1000);
  if (seconds < 60) return `${String(seconds)} s`;
  if (seconds < 3600) return `${String(Math.floor(seconds / 60))} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${String(Math.floor(minutes / 60))} h ${pad(minutes % 60)} min`;
  return `${String(Math.round(minutes / 60 / 24))} d`;
}

/** `02:14`, `1:02:14`: a position in a recording. With `tenths`, `02:14.3`. */
export function formatPosition(milliseconds: number, tenths = false): string {
  const step = tenths ? 100 : 1000;
  const total = Math.floor(Math.max(0, Number.isFinite(milliseconds) ? milliseconds : 0) / step);
  const seconds = tenths ? Math.floor(total / 10) : total;
  const hours = Math.floor(seconds / 3600);
  const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}${tenths ? `.${String(total % 10)}` : ''}`;
  return hours > 0 ? `${String(hours)}:${rest}` : rest;
}

const UNITS_MS: Record<string, number> = { ms: 1, s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Reads `30`, `30s`, `1.5 min`, `1h 10m` as milliseconds; a bare number is seconds. Null when it is none of these. */
export function parseDuration(text: string): number | null {
  const compact = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(compact)) return Math.round(Number(compact) * 1000);
  if (!/^(\d+(\.\d+)?\s*(ms|sec|s|min|m|h)\s*)+$/.test(compact)) return null;
  let total = 0;
  for (const [, value, unit] of compact.matchAll(/(\d+(?:\.\d+)?)\s*(ms|sec|s|min|m|h)/g)) {
    total += Number(value) * (UNITS_MS[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}
