import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { projectStatusQuery } from '../api/queries';
import { formatCount, formatCountOf } from '../format/number';
import { EmptyState } from '../ui';

const FILTERS: Record<string, string> = {
  browser_extension: 'thrown by browser extensions',
  bot: 'from bots',
  localhost: 'from pages on localhost',
  discarded: 'of issues that were discarded',
  script_error: 'bare “Script error.” of other origins’ scripts',
};

/** Nothing is open: either all is well, or errors were left out on purpose, or nothing has arrived yet. */
export function NoIssues({ projectId }: { projectId: string }) {
  const status = useQuery(projectStatusQuery(projectId)).data;
  const filtered = Object.entries(status?.intake.filtered_errors ?? {}).filter(([, count]) => count > 0);
  const isWaiting = status !== undefined && status.first_event_at === null;
  return (
    <EmptyState
      icon={isWaiting ? 'alert' : 'check'}
      title={isWaiting ? 'No issues yet' : 'No open issues'}
      actions={
        <>
          <Link to="/p/$project/issues" params={{ project: projectId }} search={{ state: 'any' }} className="btn">
            Show issues of any state
          </Link>
          <Link to="/p/$project/sessions" params={{ project: projectId }} className="btn">
            Sessions
          </Link>
        </>
      }
    >
      {isWaiting ? (
        <p>
          Nothing has been recorded yet. Put the script tag of{' '}
          <Link to="/p/$project/settings" params={{ project: projectId }} className="link">
            Settings
          </Link>{' '}
          into your page: its errors show here within seconds.
        </p>
      ) : (
        <p>
          Uncaught errors, rejected promises and what <code className="mono">captureError</code> reports show here
          within seconds, grouped and ranked.
        </p>
      )}
      {filtered.length > 0 && <FilteredHint filtered={filtered} />}
    </EmptyState>
  );
}

function FilteredHint({ filtered }: { filtered: readonly [string, number][] }) {
  const total = filtered.reduce((sum, [, count]) => sum + count, 0);
  return (
    <div className="filtered-hint">
      <p>
        {formatCountOf(total, 'error')} made no issue because {total === 1 ? 'it was' : 'they were'} filtered:
      </p>
      <ul>
        {filtered.map(([name, count]) => (
          <li key={name}>
            {formatCount(count)} {FILTERS[name] ?? name.replaceAll('_', ' ')}
          </li>
        ))}
      </ul>
      {filtered.some(([name]) => name === 'script_error') && (
        <p>
          Browsers hide errors of scripts from other origins: add <code className="mono">crossorigin</code> to their
          script tags and serve them with <code className="mono">Access-Control-Allow-Origin</code>.
        </p>
      )}
    </div>
  );
}
