/** What the API says when it refuses (RFC 9457), or what stands for it when no answer came. */
export class Problem extends Error {
  constructor(
    /** The last part of the problem's type, such as `not-found`; `unreachable` when no answer came. */
    readonly code: string,
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** Name of the input that was refused. */
    readonly field: string | null = null,
    /** What is wrong, by the id of the input, where the server says it of several. */
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  get isRetryable(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  static unreachable(cause: unknown): Problem {
    const problem = new Problem('unreachable', 0, 'No answer from the server', 'The server could not be reached.');
    problem.cause = cause;
    return problem;
  }

  /** Reads a problem+json body; anything else becomes a problem that names the status. */
  static fromBody(status: number, body: unknown): Problem {
    const record = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
    const text = (name: string) => (typeof record[name] === 'string' ? record[name] : '');
    const code = text('type').split(':').at(-1) || `status-${String(status)}`;
    const title = text('title') || `The server answered with ${String(status)}`;
    return new Problem(code, status, title, text('detail'), text('field') || null, textsOf(record['fields']));
  }
}

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : Problem.unreachable(error));

function textsOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}
