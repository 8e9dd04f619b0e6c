import '../sessions/sessions.css';
import './issues.css';

import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, useRef, type ReactNode, type Ref } from 'react';
import { formatCountOf } from '../format/number';
import { TopBar } from '../shell/TopBar';
import { Button, Chip, EmptyState, ErrorState, NotRefreshed, Skeleton } from '../ui';
import { isFiltered, readIssueFilters, type IssueFilters } from './filters';
import { IssueActions } from './IssueActions';
import { IssueFilterBar } from './IssueFilterBar';
import { IssueTable, type IssueTableHandle } from './IssueTable';
import { NoIssues } from './NoIssues';
import { useChangeIssues, useDiscardIssues, useIssueList, useMergeIssues, type IssueList } from './queries';
import { useSelection, type Selection } from './selection';

export function IssuesPage() {
  const { project: projectId } = useParams({ from: '/p/$project/issues' });
  const search = useSearch({ from: '/p/$project/issues' });
  const filters = useMemo(() => readIssueFilters({ ...search }), [search]);
  const navigate = useNavigate({ from: '/p/$project/issues' });
  const list = useIssueList(projectId, filters);
  const selection = useSelection();
  const table = useRef<IssueTableHandle>(null);
  const { change, isPending } = useChangeIssues(projectId);
  const { merge, isPending: isMerging } = useMergeIssues(projectId);
  const { discard, isPending: isDiscarding } = useDiscardIssues(projectId);
  const selected = list.issues.filter(({ id }) => selection.has(id));
  const setFilters = (next: IssueFilters, replace: boolean) => {
    void navigate({ to: '.', search: readIssueFilters({ ...next }), replace });
  };
  return (
    <div className="sessions">
      <TopBar crumbs={['Issues']} facts={<Facts list={list} projectId={projectId} />} />
      <IssueFilterBar
        filters={filters}
        onChange={setFilters}
        actions={
          <div className="issue-actions">
            <SelectAll list={list} selection={selection} count={selected.length} />
            <IssueActions
              group="Issues"
              issues={selected}
              issuesOfKeys={() => {
                const current = list.issues[table.current?.current() ?? -1];
                return selected.length > 0 || !current ? selected : [current];
              }}
              disabled={isPending || isMerging || isDiscarding}
              onChange={(issues, wanted) => {
                change(
                  issues.map(({ id }) => id),
                  wanted,
                  selection.clear,
                );
              }}
              onDiscard={(issues) => {
                discard(
                  issues.map(({ id }) => id),
                  selection.clear,
                );
              }}
              onMerge={(issues, into) => {
                merge(
                  issues.map(({ id }) => id),
                  into.id,
                  selection.clear,
                );
              }}
            />
          </div>
        }
      />
      <IssuesBody
        list={list}
        filters={filters}
        projectId={projectId}
        selection={selection}
        tableRef={table}
        clear={() => {
          setFilters({ sort: filters.sort, span: filters.span }, false);
        }}
      />
    </div>
  );
}

function Facts({ list, projectId }: { list: IssueList; projectId: string }) {
  const high = list.issues.filter(({ priority }) => priority.level === 'high').length;
  return (
    <span className="facts" aria-live="polite">
      {high > 0 && <Chip tone="error">{formatCountOf(high, 'issue')} of high priority</Chip>}
      {list.overflow !== null && (
        <Link
          to="/p/$project/issues/$issue"
          params={{ project: projectId, issue: list.overflow }}
          title="The project has more issues than are kept apart; errors of the rest count for one issue"
        >
          <Chip tone="warn">too many issues</Chip>
        </Link>
      )}
      <NotRefreshed error={list.refreshError} />
    </span>
  );
}

function SelectAll({ list, selection, count }: { list: IssueList; selection: Selection; count: number }) {
  if (count === 0) return null;
  return (
    <>
      <span className="muted" aria-live="polite">
        {count} selected
      </span>
      <Button
        kind="ghost"
        onClick={() => {
          selection.toggleAll(list.issues.map(({ id }) => id));
        }}
      >
        {count === list.issues.length ? 'Select none' : 'Select all shown'}
      </Button>
    </>
  );
}

interface BodyProps {
  list: IssueList;
  filters: IssueFilters;
  projectId: string;
  selection: Selection;
  tableRef: Ref<IssueTableHandle>;
  clear: () => void;
}

function IssuesBody({ list, filters, projectId, selection, tableRef, clear }: BodyProps) {
  if (list.error) return <ErrorState title="Issues could not be loaded" error={list.error} retry={list.retry} />;
  if (list.isLoading) return <LoadingRows />;
  if (list.issues.length > 0) {
    const footer = <Footer list={list} />;
    return <IssueTable {...{ list, filters, projectId, selection, footer }} ref={tableRef} />;
  }
  if (list.isPartial || list.hasMore) return <NothingSoFar list={list} clear={clear} />;
  if (!isFiltered(filters)) return <NoIssues projectId={projectId} />;
  return (
    <EmptyState
      icon="filter"
      title="No issue matches"
      actions={
        <Button kind="primary" onClick={clear}>
          Clear filters
        </Button>
      }
    >
      <p>Try fewer filters, or any state. New issues that match show up by themselves.</p>
    </EmptyState>
  );
}

const BOUND = 'More issues are stored than one look takes in';

/** There may be some that match among those that were not looked at. */
function NothingSoFar({ list, clear }: { list: IssueList; clear: () => void }) {
  return (
    <EmptyState
      icon="search"
      title="Nothing found so far"
      actions={
        <>
          {list.hasMore && (
            <Button kind="primary" onClick={list.loadMore} disabled={list.isLoadingMore}>
              {list.isLoadingMore ? 'Searching…' : 'Keep searching'}
            </Button>
          )}
          <Button onClick={clear}>Clear filters</Button>
        </>
      }
    >
      <p>{BOUND}. Others may match.</p>
    </EmptyState>
  );
}

function Footer({ list }: { list: IssueList }) {
  let content: ReactNode = `${formatCountOf(list.issues.length, 'issue')} · that is all`;
  if (list.isLoadingMore) content = 'Loading more…';
  else if (list.hasMore) content = 'Scroll for more';
  else if (list.isPartial) content = `${formatCountOf(list.issues.length, 'issue')} · ${BOUND}: there may be others`;
  return <div className="sessions-foot">{content}</div>;
}

function LoadingRows() {
  return (
    <div className="sessions-scroll" aria-busy="true" aria-label="Loading issues" role="status">
      {Array.from({ length: 10 }, (_, index) => (
        <div key={index} className="issue-row loading">
          <Skeleton width="6px" />
          <span className="loading-lines">
            <Skeleton width={`${String(36 + ((index * 17) % 40))}%`} />
            <Skeleton width={`${String(22 + ((index * 11) % 20))}%`} />
          </span>
          <Skeleton />
          <Skeleton width="60%" />
          <Skeleton width="70%" />
        </div>
      ))}
    </div>
  );
}
