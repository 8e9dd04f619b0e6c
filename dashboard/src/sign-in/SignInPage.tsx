import './sign-in.css';

import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { signIn } from '../api/endpoints';
import { asProblem, type Problem } from '../api/problem';
import { Button, Logo } from '../ui';
import { safeNext } from './next';

type State = { name: 'signing in' | 'no link' } | { name: 'refused' | 'failed'; problem: Problem };

export function SignInPage() {
  const { token, next, signed_out: signedOut } = useSearch({ from: '/sign-in' });
  const [state, setState] = useState<State>({ name: token === undefined ? 'no link' : 'signing in' });
  const navigate = useNavigate();
  const router = useRouter();
  const queries = useQueryClient();
  const started = useRef(false);

  const attempt = () => {
    if (token === undefined) return;
    setState({ name: 'signing in' });
    signIn(token)
      .then(async () => {
        queries.clear();
        router.history.replace(safeNext(next));
        await router.invalidate();
      })
      .catch((error: unknown) => {
        const problem = asProblem(error);
        setState({ name: problem.isRetryable ? 'failed' : 'refused', problem });
        // A link that does not work need not stay in the history.
        if (!problem.isRetryable) void navigate({ to: '/sign-in', search: { next }, replace: true });
      });
  };
  useEffect(() => {
    if (started.current) return;
    started.current = true;
    attempt();
  });
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <span className="rail-logo">
          <Logo />
        </span>
        {state.name === 'signing in' && (
          <Said title="Signing in…">
            <p role="status">Checking your link.</p>
          </Said>
        )}
        {state.name === 'no link' && (
          <Said title={signedOut === undefined ? 'Sign in to Playhead' : 'You are signed out'}>
            <WhereLinksAre />
          </Said>
        )}
        {state.name === 'refused' && (
          <Said title="This link no longer works">
            <p role="alert">It has expired, was made by an earlier start of the server, or was not copied whole.</p>
            <WhereLinksAre />
          </Said>
        )}
        {state.name === 'failed' && (
          <Said title="Signing in failed">
            <p role="alert">{state.problem.detail || state.problem.title}</p>
            <Button kind="primary" onClick={attempt}>
              Try again
            </Button>
          </Said>
        )}
      </div>
    </main>
  );
}

function Said({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <h1>{title}</h1>
      {children}
    </>
  );
}

function WhereLinksAre() {
  return (
    <p>
      Look at the terminal where <code className="mono">playhead up</code> runs: it prints a sign-in link at every
      start. Open that link in this browser.
    </p>
  );
}
