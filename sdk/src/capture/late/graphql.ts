/** A longer body is not looked into. */
const MAX_BODY = 100_000;
const MAX_TOGETHER = 5;
const NAME = /^[A-Z_a-z]\w{0,99}$/;
/** The first operation of a document that begins with one. */
const FIRST = /^\s*(?:query|mutation|subscription)\s+([A-Z_a-z]\w{0,99})\s*[({@]/;

interface Call {
  operationName?: unknown;
  query?: unknown;
  extensions?: { persistedQuery?: unknown } | null | undefined;
}

function nameOf(call: Call | null | undefined): string | undefined {
  const { operationName: name, query, extensions } = call ?? {};
  if (typeof query !== 'string' && !extensions?.persistedQuery) return undefined;
  if (typeof name === 'string' && NAME.test(name)) return name;
  return typeof query === 'string' ? FIRST.exec(query)?.[1] : undefined;
}

/**
 * What a GraphQL request calls its operation; several that are sent together are joined by `+`. Only names: texts of queries and
 * values of variables are looked at here and go nowhere.
 */
export function operationOf(address: string, body: unknown): string | undefined {
  try {
    if (typeof body !== 'string') return operationIn(address);
    if (body.length > MAX_BODY || !/^\s*[[{]/.test(body) || !/"(?:query|persistedQuery)"/.test(body)) return undefined;
    const parsed = JSON.parse(body) as Call | Call[];
    const calls = Array.isArray(parsed) ? parsed : [parsed];
    const names = new Set(calls.map(nameOf).filter((name) => name !== undefined));
    return names.size ? [...names].slice(0, MAX_TOGETHER).join('+') : undefined;
  } catch {
    // It is something else.
    return undefined;
  }
}

/** Of a request whose query is in its address. */
function operationIn(address: string): string | undefined {
  if (!address.includes('operationName=') && !address.includes('query=')) return undefined;
  const { searchParams } = new URL(address);
  const extensions = searchParams.get('extensions');
  return nameOf({
    operationName: searchParams.get('operationName') ?? undefined,
    query: searchParams.get('query') ?? undefined,
    extensions: extensions === null ? null : (JSON.parse(extensions) as Call['extensions']),
  });
}
