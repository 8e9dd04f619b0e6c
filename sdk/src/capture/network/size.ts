/** Longer texts are not measured: it would cost the page more than the number is worth. */
const MAX_MEASURED = 4 * 1024 * 1024;

/** Bytes of a text in UTF-8. */
export function bytesOfText(text: string): number | undefined {
  return text.length <= MAX_MEASURED ? new TextEncoder().encode(text).length : undefined;
}

/** Bytes of a body that the page sends or got, as far as they can be told without reading it. */
export function bytesOf(body: unknown): number | undefined {
  if (typeof body === 'string') return bytesOfText(body);
  if (body instanceof URLSearchParams) return bytesOfText(String(body));
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return undefined;
}

/** The value of a `Content-Length` header. */
export function lengthOf(header: string | null | undefined): number | undefined {
  return header && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined;
}
