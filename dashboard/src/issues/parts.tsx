/** Small things that the list and the page of an issue have in common. */
import type { ArchivedUntil, Issue, IssueState, PriorityLevel } from '../api/issues';
import { formatCount, formatCountOf } from '../format/number';
import { Chip, Time, type Tone } from '../ui';

const STATES: Record<IssueState, { tone: Tone; meaning: string }> = {
  new: { tone: 'info', meaning: 'First seen not long ago, and nobody has decided about it.' },
  ongoing: { tone: 'neutral', meaning: 'Known, and it goes on.' },
  escalating: { tone: 'error', meaning: 'More of it happens than its own history lets one expect.' },
  regressed: { tone: 'warn', meaning: 'It was resolved and came back.' },
  resolved: { tone: 'ok', meaning: 'Resolved; it opens again when it comes back.' },
  archived: { tone: 'neutral', meaning: 'Set aside; it is counted and not shown.' },
};

export function StateChip({ state }: { state: IssueState }) {
  const { tone, meaning } = STATES[state];
  return (
    <Chip tone={tone} title={meaning}>
      {state}
    </Chip>
  );
}

/** `archived until 100 more events`, `resolved in 2.4.1`; null where the state says it all. */
export function decisionOf(issue: Issue): string | null {
  if (issue.archived_until !== null) return `until ${describeUntil(issue.archived_until)}`;
  if (issue.resolved_in === 'this_release') return `in ${issue.resolved_release ?? 'a release'}`;
  if (issue.resolved_in !== 'next_release') return null;
  return issue.resolved_release === null ? 'in the next release' : `in the release after ${issue.resolved_release}`;
}

export function describeUntil({ escalating, events, users, days }: Partial<ArchivedUntil>): string {
  if (escalating) return 'it escalates';
  if (users) return formatCountOf(users, 'more user');
  const span = days ? ` within ${days === 1 ? 'a day' : `${String(days)} days`}` : '';
  return `${formatCountOf(events ?? 0, days ? 'event' : 'more event')}${span}`;
}

const LEVELS: Record<PriorityLevel, string> = {
  high: 'High priority',
  medium: 'Medium priority',
  low: 'Low priority',
};

/** The bar at the start of a row; its colour is also said in words. */
export function PriorityBar({ priority }: { priority: Issue['priority'] }) {
  return (
    <span className={`priority-bar ${priority.level}`} title={`${LEVELS[priority.level]}: ${priority.reason}`}>
      <span className="hidden-text">{LEVELS[priority.level]}</span>
    </span>
  );
}

/** Two letters for a name or an e-mail address, with all of it as title. */
export function Assignee({ name }: { name: string | null }) {
  if (!name) return <span className="muted">–</span>;
  const words = name
    .replace(/@.*/, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  const [first = '?', second] = words;
  const letters = second === undefined ? first.slice(0, 2) : `${first.slice(0, 1)}${second.slice(0, 1)}`;
  return (
    <span className="avatar" title={`Assigned to ${name}`}>
      <span aria-hidden="true">{letters.toUpperCase()}</span>
      <span className="hidden-text">Assigned to {name}</span>
    </span>
  );
}

/** `2.3.0 – 2.4.1`, or one release alone. */
export function Releases({ issue }: { issue: Issue }) {
  const { first_release: first, last_release: last } = issue;
  const known = [first, last].filter((release) => release !== null && release !== '');
  if (known.length === 0) return <span className="muted">–</span>;
  const text = first && last && first !== last ? `${first} – ${last}` : (known[0] ?? '');
  return (
    <span className="mono ell" title={`First seen in ${first ?? 'no release'}, last in ${last ?? 'no release'}`}>
      {text}
    </span>
  );
}

/** How many people it hit. */
export function Users({ issue }: { issue: Issue }) {
  return issue.users_exact ? (
    <>{formatCount(issue.users)}</>
  ) : (
    <span title="At least so many: they were not counted to the end">≥ {formatCount(issue.users)}</span>
  );
}

/** How many sessions it hit; at most, where one may have been counted for several of the merged issues. */
export function Sessions({ issue }: { issue: Issue }) {
  return issue.sessions_exact ? (
    <>{formatCount(issue.sessions)}</>
  ) : (
    <span title="At most so many: a session with several of the merged issues counts for each">
      ≤ {formatCount(issue.sessions)}
    </span>
  );
}

/** How many issues people merged into it. */
export function Merged({ issue }: { issue: Issue }) {
  return (
    <Chip title={`${formatCountOf(issue.merged, 'other issue')} merged into it: the counts are of all together`}>
      +{formatCount(issue.merged)} merged
    </Chip>
  );
}

export function Seen({ issue }: { issue: Issue }) {
  return (
    <>
      <span className="ell">
        <Time at={issue.last_seen_ms} relative />
      </span>
      <span className="sub ell">
        since <Time at={issue.first_seen_ms} relative />
      </span>
    </>
  );
}

/** Whether failed requests are what the issue is made of. */
export const isRequest = ({ mechanism }: Pick<Issue, 'mechanism'>): boolean => mechanism === 'request';

const MECHANISMS: Record<string, string> = {
  uncaught: 'uncaught',
  unhandledrejection: 'unhandled rejection',
  captured: 'captured',
};

/** `uncaught`, `captured, handled`. */
export function mechanismOf({ mechanism, handled }: Issue): string {
  if (isRequest({ mechanism })) return 'failed request';
  const name = MECHANISMS[mechanism] ?? mechanism.replaceAll('_', ' ');
  return [name, handled ? 'handled' : ''].filter(Boolean).join(', ');
}
