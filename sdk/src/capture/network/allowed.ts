import type { CaptureContext } from '../context.js';

const READABLE_TYPE = /json|text\/|xml|x-www-form-urlencoded|javascript|graphql/i;
/** Answers without an end, or whose parts are messages: a copy would hold everything the page has not read yet. */
const STREAMED_TYPE = /event-stream|ndjson|jsonl|stream\+json|json-seq|multipart\/|grpc/i;

/** Whether the page allows bodies of this address. */
export function allowsBody(context: CaptureContext, url: string): boolean {
  return (context.options.networkBodies ?? []).some((pattern) =>
    // A copy of the expression: a global one remembers where it was.
    typeof pattern === 'string' ? url.includes(pattern) : new RegExp(pattern.source, pattern.flags).test(url),
  );
}

/** Whether a body of this type is text with an end. */
export function isReadable(type: string | null): boolean {
  return type !== null && READABLE_TYPE.test(type) && !STREAMED_TYPE.test(type);
}
