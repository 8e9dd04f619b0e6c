import { isSecretName, MASK } from '../../privacy/redact.js';
import type { CaptureContext } from '../context.js';

const DEFAULT_LIMIT = 16 * 1024;
const MAX_LIMIT = 32 * 1024;
/** A body that takes longer is told as far as it came. */
const READ_MS = 5000;

function limitOf(context: CaptureContext): number {
  const limit = context.options.networkBodyLimit;
  return limit !== undefined && limit >= 0 ? Math.min(limit, MAX_LIMIT) : DEFAULT_LIMIT;
}

/** Secret members lose their whole value, also when it is an object; undefined when the text is not JSON. */
function maskedJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text, (key, value: unknown) => (isSecretName(key) ? MASK : value)));
  } catch {
    return undefined;
  }
}

/** A body as it may be told: redacted, then cut. */
export function tellBody(text: string, context: CaptureContext): string {
  const limit = limitOf(context);
  const json = text.length <= MAX_LIMIT ? maskedJson(text) : undefined;
  const source = json ?? text.slice(0, limit);
  // A quote that the cut left open would hide a secret from the rules, so it is closed first.
  const isCut = json === undefined && text.length > source.length;
  const clean = context.privacy.redactText(isCut ? `${source}"` : source);
  return clean.length > limit || isCut ? `${clean.slice(0, limit)}…` : clean;
}

/** What the page sends, where it is text already. Files are told by their size alone. */
export function requestBodyOf(body: unknown, context: CaptureContext): string | undefined {
  if (typeof body === 'string') return tellBody(body, context);
  if (body instanceof URLSearchParams) return tellBody(String(body), context);
  if (!(body instanceof FormData)) return undefined;
  const fields: string[] = [];
  for (const [name, value] of body) {
    if (fields.length === 100) break;
    const told = typeof value === 'string' ? value : `[file, ${value.size} bytes]`;
    fields.push(`${name}=${isSecretName(name) ? MASK : told}`);
  }
  return tellBody(fields.join('\n'), context);
}

/** Reads a copy of a message up to the limit, then lets go of it; the page's own reading goes on undisturbed. */
export async function readBody(message: Request | Response, context: CaptureContext): Promise<string | undefined> {
  const reader = message.body?.getReader();
  if (!reader) return undefined;
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), READ_MS);
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (text.length <= MAX_LIMIT) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    void reader.cancel().catch(() => undefined);
  } catch {
    // Broken off half-way: what came is still worth telling.
  } finally {
    clearTimeout(timer);
  }
  return text ? tellBody(text, context) : undefined;
}
