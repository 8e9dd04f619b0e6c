/**
 * Build tools put a debug id beside each script: `(globalThis.__playheadDebugIds ??= {})[new Error().stack] = "<id>"` as the
 * script's first statement, or the script's URL as the key.
 */
const REGISTRY = '__playheadDebugIds';
const MAX_IDS = 50;
const MAX_SCRIPTS = 2000;

const FRAME_URL = /([a-z][a-z\d+.-]*:\/\/[^\s()@]+?)(?::\d+){0,2}(?=[\s)]|$)/i;

/** Script URL per registered key; a key is a whole stack, so its URL is looked for once. */
const urlOfKey = new Map<string, string>();

function scriptOf(key: string): string {
  let url = urlOfKey.get(key);
  if (url === undefined) {
    url = FRAME_URL.exec(key)?.[1] ?? '';
    if (urlOfKey.size < MAX_SCRIPTS) urlOfKey.set(key, url);
  }
  return url;
}

/** The ids of those scripts that the stack names. */
export function debugIdsOf(stack: string, clean: (url: string) => string): Record<string, string> | undefined {
  const registry: unknown = Reflect.get(globalThis, REGISTRY);
  if (!stack || typeof registry !== 'object' || registry === null) return undefined;
  const found: Record<string, string> = {};
  let count = 0;
  for (const key of Object.keys(registry).slice(0, MAX_SCRIPTS)) {
    const url = scriptOf(key);
    const id: unknown = Reflect.get(registry, key);
    if (!url || typeof id !== 'string' || !stack.includes(url)) continue;
    found[clean(url)] = id.slice(0, 64);
    if (++count === MAX_IDS) break;
  }
  return count ? found : undefined;
}
