import { Link } from '@tanstack/react-router';
import { BREAKDOWNS, type BreakdownName, type BreakdownValue, type IssueDetail } from '../api/issues';
import { formatCount, formatShare } from '../format/number';
import { countryName, cutMiddle, pathOf } from '../format/text';
import { Panel } from '../settings/Panel';

const NAMES: Record<BreakdownName, string> = {
  release: 'Release',
  browser: 'Browser',
  os: 'Operating system',
  page: 'Page',
  country: 'Country',
};
/** What the server calls the values beyond those that it keeps apart. */
const OTHER = 'other';
const NOT_KNOWN = { label: 'not known', title: 'Not known' };
const ALL_OTHERS = { label: 'all others', title: 'Values that are not kept apart' };
const SHOWN_MAX = 5;
const PAGE_LENGTH = 44;

/** Whom it hit and where, as bars; each opens its sessions. */
export function Breakdowns({ issue, project }: { issue: IssueDetail; project: string }) {
  const known = BREAKDOWNS.filter((name) => issue.breakdowns[name].length > 0);
  return (
    <Panel id="breakdown" title="Where it happens">
      {known.length === 0 && <p className="muted">Neither release nor browser, page or country is known.</p>}
      {known.map((name) => (
        <Breakdown key={name} name={name} values={issue.breakdowns[name]} issue={issue} project={project} />
      ))}
    </Panel>
  );
}

interface BreakdownProps {
  name: BreakdownName;
  values: readonly BreakdownValue[];
  issue: IssueDetail;
  project: string;
}

function Breakdown({ name, values, issue, project }: BreakdownProps) {
  const total = values.reduce((sum, { events }) => sum + events, 0);
  const ranked = [...values].sort((one, other) => other.events - one.events);
  const rest = ranked.slice(SHOWN_MAX).reduce((sum, { events }) => sum + events, 0);
  return (
    <div className="breakdown">
      <h3>{NAMES[name]}</h3>
      <ul>
        {ranked.slice(0, SHOWN_MAX).map(({ value, events }) => (
          <li key={value}>
            {value === '' || value === OTHER ? (
              <Bar {...(value === '' ? NOT_KNOWN : ALL_OTHERS)} events={events} total={total} />
            ) : (
              <Link
                to="/p/$project/sessions"
                params={{ project }}
                search={{ issue: issue.id, [name]: name === 'page' ? toPattern(value) : value }}
                className="breakdown-link"
              >
                <Bar label={shorten(name, value)} title={value} events={events} total={total} />
              </Link>
            )}
          </li>
        ))}
        {rest > 0 && (
          <li>
            <Bar label={`${String(ranked.length - SHOWN_MAX)} others`} title="All others" events={rest} total={total} />
          </li>
        )}
      </ul>
    </div>
  );
}

/** Pages are counted by template: `/orders/{id}` is any page of that form. */
const toPattern = (template: string): string => template.replace(/\{[a-z]+\}|…/g, '*');

function shorten(name: BreakdownName, value: string): string {
  if (name === 'page') return cutMiddle(pathOf(value), PAGE_LENGTH);
  return name === 'country' ? countryName(value) : value;
}

interface BarProps {
  label: string;
  title: string;
  events: number;
  total: number;
}

function Bar({ label, title, events, total }: BarProps) {
  const share = total === 0 ? 0 : events / total;
  return (
    <span className="breakdown-bar">
      <span className="ell" title={title}>
        {label}
      </span>
      <span className="num muted" title={`${formatCount(events)} events`}>
        {formatShare(share)}
      </span>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect width={Math.max(1, share * 100)} height="4" fill="currentColor" />
      </svg>
    </span>
  );
}
