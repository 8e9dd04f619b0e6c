import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import { isQuiet } from '../ui';
import { ISSUE_LEAD_MS, issueOf, leadIn, type Moment } from './moments';
import type { PlayerEngine } from './player/engine';

export const PANES = ['events', 'console', 'network', 'errors', 'details'] as const;
export type Pane = (typeof PANES)[number];

export interface ReplayView {
  pane: Pane;
  setPane: (pane: Pane) => void;
  /** The issue from which a link came. */
  issue: string | undefined;
  /** The stream that is stayed on; null follows the focused tab. */
  tab: string | null;
  setTab: (tab: string | null) => void;
}

const WRITE_AFTER_MS = 250;

/** What the address holds: the moment, the open pane, the chosen tab. Opening such an address shows the same again. */
export function useReplayView(
  engine: PlayerEngine,
  { started_at, ended_at }: { started_at: number; ended_at: number },
): ReplayView {
  const search: Record<string, string | undefined> = useSearch({ from: '/p/$project/sessions/$session' });
  const navigate = useNavigate({ from: '/p/$project/sessions/$session' });
  const write = useCallback(
    (change: Record<string, string | undefined>) => {
      void navigate({ search: (now) => ({ ...now, ...change }), replace: true, resetScroll: false });
    },
    [navigate],
  );
  useOpening(engine, search['t'] ?? positionOf(search['at'], started_at), search['tab'] ?? null, ended_at);
  useMomentInAddress(engine, write);
  const pane = PANES.find((each) => each === search['pane']) ?? 'events';
  return {
    pane,
    setPane: (next) => {
      write({ pane: next });
    },
    issue: search['issue'],
    tab: search['tab'] ?? null,
    setTab: (tab) => {
      engine.choose(tab);
      write({ tab: tab ?? undefined });
    },
  };
}

/** A message that tells of a request knows when it was, not where in the session: it opens a little before. */
function positionOf(time: string | undefined, startedAt: number): string | undefined {
  if (time === undefined || !/^\d+$/.test(time)) return undefined;
  return String(leadIn(Number(time) - startedAt));
}

/**
 * A moment opens paused, exactly there; a session in which somebody is right now opens at its end, running; any other at
 * its start.
 */
function useOpening(engine: PlayerEngine, t: string | undefined, tab: string | null, lastHeard: number) {
  const opening = useRef({ t, tab, lastHeard });
  useEffect(() => {
    const wanted = opening.current.t;
    if (opening.current.tab !== null) engine.choose(opening.current.tab);
    if (wanted !== undefined && /^\d+(\.\d+)?$/.test(wanted)) {
      engine.seek(Number(wanted));
    } else if (engine.isLive && !isQuiet(opening.current.lastHeard, Date.now())) {
      engine.seek(engine.liveEdge);
      engine.play();
    } else {
      engine.seek(0);
    }
  }, [engine]);
}

/** Writes the moment into the address whenever the replay stands still at another one. */
function useMomentInAddress(engine: PlayerEngine, write: (change: Record<string, string>) => void) {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      clearTimeout(timer);
      if (engine.state.playing) return;
      timer = setTimeout(() => {
        write({ t: String(Math.round(engine.time)) });
      }, WRITE_AFTER_MS);
    };
    const stopTime = engine.onTime(later);
    const stopState = engine.subscribe(later);
    return () => {
      clearTimeout(timer);
      stopTime();
      stopState();
    };
  }, [engine, write]);
}

/**
 * A link to the errors or the requests that names no moment opens at the first one that went wrong: whoever was alerted
 * is there with one click. One from an issue (`issue=`) opens some seconds before the first error of that issue.
 */
export function useFirstProblem(
  pane: Pane,
  moments: readonly Moment[],
  loading: boolean,
  /** Of the issue that the link names, with those merged into it; null while they are not known. */
  issues: ReadonlySet<string> | null,
  open: (first: Moment, lead_ms: number) => void,
) {
  const search: Record<string, string | undefined> = useSearch({ from: '/p/$project/sessions/$session' });
  const namesNone = search['t'] === undefined && search['at'] === undefined;
  const asked = namesNone && search['pane'] !== undefined ? PROBLEM_OF[pane] : undefined;
  const wanted = useRef(asked);
  useEffect(() => {
    const kind = wanted.current;
    if (loading || kind === undefined || issues === null) return;
    wanted.current = undefined;
    const problems = moments.filter((moment) => moment.kind === kind && moment.tone === 'error');
    const ofIssue = problems.find(({ data }) => issues.has(issueOf(data) ?? ''));
    const first = ofIssue ?? problems[0];
    if (first !== undefined) open(first, ofIssue === undefined ? 0 : ISSUE_LEAD_MS);
  }, [loading, moments, issues, open]);
}

const PROBLEM_OF: Partial<Record<Pane, string>> = { errors: 'error', network: 'request' };
