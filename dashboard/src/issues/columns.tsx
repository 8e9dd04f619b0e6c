import { Link } from '@tanstack/react-router';
import { createColumnHelper, tableFeatures } from '@tanstack/react-table';
import type { Issue } from '../api/issues';
import { formatCount } from '../format/number';
import { Assignee, mechanismOf, Merged, PriorityBar, Releases, Seen, Sessions, StateChip, Users } from './parts';
import type { IssueFilters } from './filters';
import { Sparkline } from './Sparkline';

export const features = tableFeatures({});
const column = createColumnHelper<typeof features, Issue>();

interface Selecting {
  projectId: string;
  span: IssueFilters['span'];
  isSelected: (id: string) => boolean;
  toggle: (id: string) => void;
}

/** The table's columns. */
export const createColumns = ({ projectId, span, isSelected, toggle }: Selecting) =>
  column.columns([
    column.display({
      id: 'select',
      header: () => <span className="hidden-text">Selected</span>,
      cell: ({ row: { original } }) => (
        <>
          <PriorityBar priority={original.priority} />
          <label className="select-box">
            <input
              type="checkbox"
              aria-label={`Select ${original.title}`}
              checked={isSelected(original.id)}
              onChange={() => {
                toggle(original.id);
              }}
            />
          </label>
        </>
      ),
    }),
    column.display({
      id: 'issue',
      header: 'Issue',
      cell: ({ row }) => <Title issue={row.original} projectId={projectId} span={span} />,
    }),
    column.display({
      id: 'spark',
      header: span === '30d' ? '30 days' : '24 hours',
      cell: ({ row: { original } }) => (
        <Sparkline
          values={span === '30d' ? original.days_30 : original.hours_24}
          unit={span === '30d' ? 'day' : 'hour'}
          className={original.priority.level}
        />
      ),
    }),
    column.display({ id: 'events', header: 'Events', cell: ({ row }) => formatCount(row.original.events) }),
    column.display({ id: 'sessions', header: 'Sessions', cell: ({ row }) => <Sessions issue={row.original} /> }),
    column.display({ id: 'users', header: 'Users', cell: ({ row }) => <Users issue={row.original} /> }),
    column.display({ id: 'seen', header: 'Last seen', cell: ({ row }) => <Seen issue={row.original} /> }),
    column.display({ id: 'release', header: 'Release', cell: ({ row }) => <Releases issue={row.original} /> }),
    column.display({
      id: 'assignee',
      header: () => <span className="hidden-text">Assignee</span>,
      cell: ({ row }) => <Assignee name={row.original.assignee} />,
    }),
  ]);

function Title({ issue, projectId, span }: { issue: Issue; projectId: string; span: IssueFilters['span'] }) {
  return (
    <>
      <span className="issue-title">
        <Link
          to="/p/$project/issues/$issue"
          params={{ project: projectId, issue: issue.id }}
          search={span ? { span } : {}}
          className="issue-link ell"
          title={issue.title}
          data-issue={issue.id}
        >
          {issue.title}
        </Link>
        <StateChip state={issue.state} />
        {issue.merged > 0 && <Merged issue={issue} />}
      </span>
      <span className="sub ell">
        {issue.culprit !== '' && (
          <span className="mono" title={issue.culprit}>
            {issue.culprit} ·{' '}
          </span>
        )}
        {mechanismOf(issue)}
      </span>
      <span className="why ell" title={issue.priority.reason}>
        {issue.priority.reason}
      </span>
    </>
  );
}
