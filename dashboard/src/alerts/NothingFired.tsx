import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { formatCountOf } from '../format/number';
import { EmptyState } from '../ui';
import { channelsQuery, rulesQuery } from './queries';

/** Nothing fired yet: says what watches, and what is missing for anybody to hear of it. */
export function NothingFired({ project }: { project: string }) {
  const rules = useQuery(rulesQuery(project)).data?.items;
  const channels = useQuery(channelsQuery(project)).data;
  const on = rules?.filter(({ disabled }) => !disabled) ?? [];
  const silent = on.filter((rule) => rule.channels.length === 0);
  return (
    <EmptyState
      icon="check"
      title="Nothing has fired"
      actions={
        <>
          <Link to="/p/$project/alerts/rules" params={{ project }} className="btn">
            {rules?.length === 0 ? 'Write a rule' : 'Rules'}
          </Link>
          <Link to="/p/$project/alerts/channels" params={{ project }} className="btn">
            {channels?.length === 0 ? 'Set up a channel' : 'Channels'}
          </Link>
        </>
      }
    >
      {rules && (
        <p>
          {on.length === 0
            ? 'No rule is on, so nothing is watched.'
            : `${formatCountOf(on.length, 'rule')} ${on.length === 1 ? 'watches' : 'watch'} this project. What fires shows here within seconds.`}
        </p>
      )}
      {channels?.length === 0 && <p>There is no channel yet: what fires shows here, and nobody is told.</p>}
      {channels !== undefined && channels.length > 0 && silent.length > 0 && (
        <p>
          {formatCountOf(silent.length, 'rule')} {silent.length === 1 ? 'has' : 'have'} no channel and{' '}
          {silent.length === 1 ? 'tells' : 'tell'} nobody.
        </p>
      )}
    </EmptyState>
  );
}
