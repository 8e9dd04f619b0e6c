import type { ErrorComponentProps } from '@tanstack/react-router';
import { asProblem } from '../api/problem';
import { EmptyState, ErrorState } from '../ui';

/** A page that threw while it loaded or drew itself. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  // The cache sends signed-out readers to the sign-in page; nothing to say here.
  if (asProblem(error).status === 401) return null;
  const isOurs = asProblem(error).status > 0 || !(error instanceof Error) || error.name === 'Problem';
  const shown = isOurs ? error : Object.assign(asProblem(error), { message: error.message });
  return (
    <main className="page">
      <ErrorState wholePage title="This page could not be shown" error={shown} retry={reset} />
    </main>
  );
}

export function NotFound() {
  return (
    <main className="page">
      <EmptyState wholePage icon="search" title="Nothing lives at this address">
        <a className="link" href="/">
          Go to the sessions
        </a>
      </EmptyState>
    </main>
  );
}

export function NoProjects() {
  return (
    <main className="page">
      <EmptyState wholePage icon="sessions" title="No projects yet">
        <p>
          Create one with the administrator’s token:{' '}
          <code className="mono">POST /api/v1/projects {'{"name": "…"}'}</code>
        </p>
      </EmptyState>
    </main>
  );
}
