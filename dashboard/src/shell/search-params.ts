/** Reads `?a=1&b=x` as plain strings: nothing is guessed to be a number or JSON, each route checks its own. */
export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Writes what {@link parseSearch} reads; members that are undefined, null or empty are left out. */
export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      if (value !== '') params.set(name, String(value));
    }
  }
  // Readable links: these need no escaping in a query.
  const text = params.toString().replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
  return text ? `?${text}` : '';
}
