/** Pieces that the pages of requests and page loads share. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Endpoint, PerformanceWindow, RequestSample, TrendPoint, Vital } from '../api/performance';
import { sessionQuery } from '../api/queries';
import { formatDuration } from '../format/duration';
import { formatCount, formatShare } from '../format/number';
import { Chip, toastFailure } from '../ui';

const UNKNOWN = '–';
const OTHER = '\u2026other';
/** A moment before the request, to see what led to it. */
const LEAD_MS = 3_000;

export const duration = (value: number | null): string => (value === null ? UNKNOWN : formatDuration(value));
export const share = (value: number | null): string => (value === null ? UNKNOWN : formatShare(value));
export const apdex = (value: number | null): string => (value === null ? UNKNOWN : value.toFixed(2));

/** The head of a column of numbers. */
export function NumberHead({ title, wide, children }: { title?: string; wide?: boolean; children: ReactNode }) {
  return (
    <th scope="col" className={wide ? 'number wide' : 'number'} title={title}>
      {children}
    </th>
  );
}

/** `…other` in words. */
export function NameOf({ name }: { name: string }) {
  if (name === OTHER) return <span title="Those beyond what is told apart">Others, together</span>;
  const [method, ...path] = name.split(' ');
  if (path.length === 0) return <span className="mono">{name}</span>;
  return (
    <span className="mono">
      <span className="muted">{method}</span> {path.join(' ')}
    </span>
  );
}

/** What is missing in the numbers, as chips. */
export function WindowNotes({ shown }: { shown: PerformanceWindow | undefined }) {
  if (!shown) return null;
  return (
    <>
      {shown.partial && (
        <Chip tone="warn" title="Not all that was counted could be read: the numbers are too low">
          partial
        </Chip>
      )}
      {shown.merged.length > 0 && (
        <Chip title="There were too many to tell all apart; some are counted together">
          some {shown.merged.join(', ')} together
        </Chip>
      )}
    </>
  );
}

/** Of what a request's time consists, in order. */
export const PARTS = [
  { key: 'backend', label: 'Backend', about: 'what Server-Timing says, or the server’s span' },
  { key: 'network', label: 'Network', about: 'the rest, when the backend’s part is known' },
  { key: 'frontend', label: 'Frontend', about: 'from the response to the next frame' },
] as const;

/** The mean request as a bar of its known parts. What is not known is shown as unknown, not as nothing. */
export function SplitBar({ parts }: { parts: Endpoint['parts'] }) {
  const known = PARTS.map(({ key, label }) => ({ key, label, mean: parts[key].mean_ms }));
  const total = known.reduce((sum, { mean }) => sum + (mean ?? 0), 0);
  const label = known.map((part) => `${part.label} ${part.mean === null ? 'unknown' : formatDuration(part.mean)}`);
  const isUnknown = parts.backend.mean_ms === null;
  return (
    <span className="split" role="img" aria-label={label.join(', ')} title={label.join(' · ')}>
      {isUnknown && <span className="split-unknown" />}
      {known.map(({ key, mean }) =>
        mean === null || total === 0 ? null : (
          <span key={key} className={`split-${key}`} style={{ flexGrow: mean / total }} />
        ),
      )}
    </span>
  );
}

/** Requests over time as bars, the failed ones at the bottom. */
export function Trend({
  points,
  shown,
  large = false,
}: {
  points: TrendPoint[];
  shown: PerformanceWindow;
  large?: boolean;
}) {
  const step = shown.span_minutes * 60_000;
  const slots = Math.max(1, Math.round((shown.to_ms - shown.from_ms) / step));
  const most = Math.max(1, ...points.map(({ requests }) => requests));
  const total = points.reduce((sum, { requests }) => sum + requests, 0);
  return (
    <svg
      className={large ? 'trend large' : 'trend'}
      viewBox={`0 0 ${String(slots)} 100`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${formatCount(total)} over time, at most ${formatCount(most)} at once`}
    >
      {points.map(({ time_ms, requests, failed }) => {
        const x = (time_ms - shown.from_ms) / step;
        const height = requests === 0 ? 0 : Math.max(4, (requests / most) * 100);
        const bad = requests === 0 ? 0 : (failed / requests) * height;
        return (
          <g key={time_ms}>
            <rect className="trend-ok" x={x + 0.1} width={0.8} y={100 - height} height={height} />
            <rect className="trend-failed" x={x + 0.1} width={0.8} y={100 - bad} height={bad} />
          </g>
        );
      })}
    </svg>
  );
}

/** `+12 %` against the window before; more is `bad`, `good` or neither. */
export function ChangeOf({
  now,
  before,
  more,
}: {
  now: number | null;
  before: number | null;
  more: 'bad' | 'neither';
}) {
  if (now === null || before === null || before === 0) return <span className="muted">{UNKNOWN}</span>;
  const change = (now - before) / before;
  const rounded = Math.round(change * 100);
  const tone = more === 'neither' || Math.abs(rounded) < 10 ? 'muted' : rounded > 0 ? 'worse' : 'better';
  return (
    <span className={tone}>
      {rounded > 0 ? '+' : rounded < 0 ? '−' : '±'}
      {formatCount(Math.abs(rounded))} %
    </span>
  );
}

const RATINGS: Record<string, { mark: string; label: string }> = {
  good: { mark: '●', label: 'good' },
  'needs-improvement': { mark: '▲', label: 'needs improvement' },
  poor: { mark: '■', label: 'poor' },
};

export function VitalValue({ vital }: { vital: Vital | undefined }) {
  if (vital === undefined || vital.p75 === null) return <span className="muted">{UNKNOWN}</span>;
  const rating = RATINGS[vital.rating ?? ''];
  const value = vital.name === 'CLS' ? vital.p75.toFixed(2) : formatDuration(vital.p75);
  return (
    <span className="vital" title={`75 % of ${formatCount(vital.known)} known; ${rating?.label ?? ''}`}>
      <span className={`vital-${vital.rating ?? ''}`} aria-label={rating?.label}>
        {rating?.mark}
      </span>{' '}
      {value}
    </span>
  );
}

/** Opens the sample's session shortly before the request. */
export function SampleButton(props: {
  project: string;
  sample: RequestSample;
  className?: string;
  children: ReactNode;
}) {
  const { project, sample, className = 'btn', children } = props;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const open = () => {
    queries
      .fetchQuery(sessionQuery(project, sample.session_id))
      .then(({ started_at }) => {
        const t = String(Math.max(0, Math.round(sample.time_ms - started_at - LEAD_MS)));
        const params = { project, session: sample.session_id };
        return navigate({ to: '/p/$project/sessions/$session', params, search: { t, pane: 'network' } });
      })
      .catch(toastFailure('The session is not there any more'));
  };
  return (
    <button type="button" className={className} onClick={open} title="Opens a session three seconds before its request">
      {children}
    </button>
  );
}
