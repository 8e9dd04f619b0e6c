import type { IssueDetail } from '../api/issues';
import { formatCount } from '../format/number';
import { Panel } from '../settings/Panel';
import { ChoiceMenu, Time } from '../ui';
import type { IssueFilters } from './filters';
import { Sessions, Users } from './parts';
import { Sparkline } from './Sparkline';

interface IssueFactsProps {
  issue: IssueDetail;
  span: IssueFilters['span'];
  setSpan: (span: IssueFilters['span']) => void;
}

/** How much, whom, since when. */
export function IssueFacts({ issue, span, setSpan }: IssueFactsProps) {
  const facts = [
    { name: 'Events', value: formatCount(issue.events) },
    { name: 'Sessions', value: <Sessions issue={issue} /> },
    { name: 'Users', value: <Users issue={issue} /> },
  ];
  return (
    <Panel
      id="trend"
      title="How often"
      aside={
        <ChoiceMenu
          label="Time line"
          icon="clock"
          value={span ?? '24h'}
          choices={[
            { key: '24h', label: '24 hours' },
            { key: '30d', label: '30 days' },
          ]}
          onChange={(next) => {
            setSpan(next === '30d' ? next : undefined);
          }}
        />
      }
    >
      <Sparkline
        values={span === '30d' ? issue.days_30 : issue.hours_24}
        unit={span === '30d' ? 'day' : 'hour'}
        className={`large ${issue.priority.level}`}
      />
      <dl className="issue-counts">
        {facts.map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <dl className="fields">
        <Seen name="First seen" at={issue.first_seen_ms} release={issue.first_release} />
        <Seen name="Last seen" at={issue.last_seen_ms} release={issue.last_release} />
      </dl>
    </Panel>
  );
}

function Seen({ name, at, release }: { name: string; at: number; release: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Time at={at} relative /> · <Time at={at} />
        {release && (
          <>
            {' '}
            in <span className="mono">{release}</span>
          </>
        )}
      </dd>
    </div>
  );
}
