import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, type ReactNode } from 'react';
import { WHOLE_PROJECT, type AlertRule, type Delivery, type Firing } from '../api/alerts';
import type { Issue } from '../api/issues';
import { formatCount, formatCountOf } from '../format/number';
import { Button, Chip, Time, useShortcuts } from '../ui';
import { useRowKeys } from '../ui/row-keys';
import { channelsQuery, deliveriesQuery, hitByIssueQuery, rulesQuery, useChangeFiring } from './queries';
import { isOfLimit } from './rule-draft';
import { ToldChips } from './ToldChips';
import { STATUSES } from './words';

interface FiringTableProps {
  project: string;
  firings: readonly Firing[];
  isStale: boolean;
  showTold: (firing: Firing) => void;
  footer: ReactNode;
}

/** What fires first, then what is over; on narrow screens each row is a card. */
export function FiringTable({ project, firings, isStale, showTold, footer }: FiringTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const deliveries = useQuery(deliveriesQuery(project)).data;
  const rules = useQuery(rulesQuery(project)).data?.items;
  const hit = useQuery(hitByIssueQuery(project)).data;
  const channels = useQuery(channelsQuery(project)).data;
  const { change, isPending } = useChangeFiring(project);
  const firing = firings.filter(({ status }) => status !== 'resolved');
  const over = firings.filter(({ status }) => status === 'resolved');
  const rows = [...firing, ...over];
  const current = useRowKeys({
    group: 'Alerts',
    one: 'alert',
    scroller,
    count: rows.length,
    link: '.firing-link',
    reveal: (index) => {
      scroller.current?.querySelector(`[data-index="${String(index)}"]`)?.scrollIntoView({ block: 'nearest' });
    },
  });
  const byKey = (status: 'acknowledged' | 'resolved') => () => {
    const row = rows[current()];
    if (row && !isPending && canBecome(row, status)) change(row, status);
  };
  useShortcuts('Alerts', [
    { keys: 'a', label: 'Acknowledge', run: byKey('acknowledged') },
    { keys: 'e', label: 'Resolve', run: byKey('resolved') },
  ]);
  const nameOf = (channel: string) =>
    channels?.find(({ id }) => id === channel)?.name ?? (channels ? 'a deleted channel' : channel);
  const row = (each: Firing, index: number) => (
    <Row
      key={`${each.rule}-${each.subject}`}
      index={index}
      project={project}
      firing={each}
      rule={rules?.find(({ id }) => id === each.rule)}
      issue={hit?.get(each.subject)}
      deliveries={deliveries}
      nameOf={nameOf}
      isChanging={isPending}
      change={change}
      showTold={showTold}
    />
  );
  return (
    <div ref={scroller} className="sessions-scroll" data-stale={isStale || undefined} tabIndex={-1}>
      <table className="alerts-table firings" aria-label="Alerts">
        <thead>
          <tr>
            <th scope="col">What broke</th>
            <th scope="col">Rule</th>
            <th scope="col">For how many</th>
            <th scope="col">Since</th>
            <th scope="col">Who was told</th>
            <th scope="col">State</th>
            <th scope="col">
              <span className="hidden-text">Actions</span>
            </th>
          </tr>
        </thead>
        <Group title={`Firing now · ${formatCount(firing.length)}`} isShown={firing.length > 0}>
          {firing.map((each, index) => row(each, index))}
        </Group>
        <Group title={`Over · ${formatCount(over.length)}`} isShown={over.length > 0}>
          {over.map((each, index) => row(each, firing.length + index))}
        </Group>
      </table>
      <div className="sessions-foot">{footer}</div>
    </div>
  );
}

const canBecome = ({ status }: Firing, wanted: 'acknowledged' | 'resolved') =>
  status === 'open' || (status === 'acknowledged' && wanted === 'resolved');

function Group({ title, isShown, children }: { title: string; isShown: boolean; children: ReactNode }) {
  if (!isShown) return null;
  return (
    <tbody>
      <tr className="group-row">
        <th scope="rowgroup" colSpan={7}>
          {title}
        </th>
      </tr>
      {children}
    </tbody>
  );
}

interface RowProps {
  index: number;
  project: string;
  firing: Firing;
  rule: AlertRule | undefined;
  issue: Issue | undefined;
  deliveries: readonly Delivery[] | undefined;
  nameOf: (channel: string) => string;
  isChanging: boolean;
  change: (firing: Firing, status: 'acknowledged' | 'resolved') => void;
  showTold: (firing: Firing) => void;
}

function Row({ index, project, firing, rule, issue, deliveries, nameOf, isChanging, change, showTold }: RowProps) {
  const { status, title } = firing;
  const action = (wanted: 'acknowledged' | 'resolved', label: string, kind: 'plain' | 'ghost') =>
    canBecome(firing, wanted) && (
      <Button
        kind={kind}
        disabled={isChanging}
        aria-label={`${label}: ${title}`}
        onClick={() => {
          change(firing, wanted);
        }}
      >
        {label}
      </Button>
    );
  return (
    <tr data-index={index} data-status={status}>
      <th scope="row" className="firing-what">
        <span className="firing-body">
          <span className={`priority-mark ${firing.priority}`} title={`${firing.priority} priority`}>
            <span className="hidden-text">{firing.priority} priority</span>
          </span>
          <span className="firing-text">
            <Subject project={project} firing={firing} />
            {firing.culprit !== '' && (
              <span className="sub mono ell" title={firing.culprit}>
                {firing.culprit}
              </span>
            )}
            <span className="sub">{firing.why}</span>
          </span>
        </span>
      </th>
      <td data-label="Rule">
        <Link to="/p/$project/alerts/rules/$rule" params={{ project, rule: firing.rule }} className="plain-link">
          {firing.rule_name}
        </Link>
      </td>
      <td data-label="For how many">
        <Hit firing={firing} issue={issue} />
      </td>
      <td data-label="Since">
        <Since firing={firing} />
      </td>
      <td data-label="Who was told">
        <ToldChips
          {...{ project, firing, rule, deliveries, nameOf }}
          show={() => {
            showTold(firing);
          }}
        />
      </td>
      <td data-label="State">
        <Chip tone={STATUSES[status].tone} title={STATUSES[status].meaning}>
          {status}
        </Chip>
        {firing.by !== null && <span className="sub">by {firing.by}</span>}
      </td>
      <td className="firing-actions">
        {action('acknowledged', 'Acknowledge', 'plain')}
        {action('resolved', 'Resolve', 'ghost')}
      </td>
    </tr>
  );
}

/** What broke, as a link to where one looks into it. */
function Subject({ project, firing: { subject, title, kind, name } }: { project: string; firing: Firing }) {
  const shared = { className: 'firing-link', title, children: title };
  if (kind === 'endpoint' && name !== null) {
    return <Link to="/p/$project/endpoints/$endpoint" params={{ project, endpoint: name }} {...shared} />;
  }
  if (kind === 'endpoint') return <Link to="/p/$project/endpoints" params={{ project }} {...shared} />;
  if (kind === 'page') {
    return <Link to="/p/$project/pages" params={{ project }} search={name === null ? {} : { q: name }} {...shared} />;
  }
  if (subject === WHOLE_PROJECT) {
    return <Link to="/p/$project/sessions" params={{ project }} {...shared} />;
  }
  return <Link to="/p/$project/issues/$issue" params={{ project, issue: subject }} {...shared} />;
}

/** How many the issue hit, until now. */
function Hit({ firing, issue }: { firing: Firing; issue: Issue | undefined }) {
  if (isOfLimit(firing.kind)) return <span className="muted">–</span>;
  if (firing.subject === WHOLE_PROJECT) return <span className="muted">everybody</span>;
  if (!issue) return <span className="muted">–</span>;
  return (
    <>
      <span className="num-text">
        {issue.users_exact ? '' : '≥ '}
        {formatCountOf(issue.users, 'user')}
      </span>
      <span className="sub">{formatCountOf(issue.events, 'event')}</span>
    </>
  );
}

function Since({ firing: { status, since_ms, opened_at, changed_at } }: { firing: Firing }) {
  return (
    <>
      <Time at={since_ms} relative />
      <span className="sub">
        {status === 'resolved' ? (
          <>
            until <Time at={changed_at} />
          </>
        ) : (
          <>
            fired <Time at={opened_at} />
          </>
        )}
      </span>
    </>
  );
}
