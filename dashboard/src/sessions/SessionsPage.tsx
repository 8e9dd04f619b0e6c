import './sessions.css';

import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo, type ReactNode } from 'react';
import { useProject } from '../api/queries';
import { formatCountOf } from '../format/number';
import { TopBar } from '../shell/TopBar';
import { Button, Chip, EmptyState, ErrorState, isQuiet, NotRefreshed, Skeleton, Time, Tooltip, useNow } from '../ui';
import { FilterBar } from './FilterBar';
import { isFiltered, readFilters, type SessionFilters } from './filters';
import { useSessionList, type SessionList } from './list';
import { NoSessions } from './NoSessions';
import { SessionTable } from './SessionTable';

export function SessionsPage() {
  const { project: projectId } = useParams({ from: '/p/$project/sessions' });
  const search = useSearch({ from: '/p/$project/sessions' });
  const filters = useMemo(() => readFilters({ ...search }), [search]);
  const navigate = useNavigate({ from: '/p/$project/sessions' });
  const list = useSessionList(projectId, filters);
  const setFilters = (next: SessionFilters, replace: boolean) => {
    void navigate({ to: '.', search: readFilters({ ...next }), replace });
  };
  return (
    <div className="sessions">
      <TopBar crumbs={['Sessions']} facts={<Facts list={list} projectId={projectId} />} />
      <FilterBar filters={filters} projectId={projectId} onChange={setFilters} />
      <SessionsBody
        list={list}
        filters={filters}
        projectId={projectId}
        clear={() => {
          setFilters({ sort: filters.sort }, false);
        }}
      />
    </div>
  );
}

function Facts({ list, projectId }: { list: SessionList; projectId: string }) {
  const isDisabled = useProject(projectId)?.disabled ?? false;
  const now = useNow();
  const live = list.sessions.filter((each) => each.state === 'live' && !isQuiet(each.ended_at, now)).length;
  return (
    <span className="facts" aria-live="polite">
      {live > 0 && (
        <Chip tone="ok" className="live">
          <span className="dot" />
          {live} live
        </Chip>
      )}
      {isDisabled && (
        <Tooltip text="Pages that send to this project are refused. Settings → Danger zone enables it again.">
          <Chip tone="warn" tabIndex={0}>
            project disabled
          </Chip>
        </Tooltip>
      )}
      <NotRefreshed error={list.refreshError} />
    </span>
  );
}

interface BodyProps {
  list: SessionList;
  filters: SessionFilters;
  projectId: string;
  clear: () => void;
}

function SessionsBody({ list, filters, projectId, clear }: BodyProps) {
  if (list.error) return <ErrorState title="Sessions could not be loaded" error={list.error} retry={list.retry} />;
  if (list.isLoading) return <LoadingRows />;
  if (list.sessions.length > 0) return <SessionTable list={list} filters={filters} footer={<Footer list={list} />} />;
  if (list.hasMore) {
    return (
      <EmptyState
        icon="search"
        title="Nothing found so far"
        actions={
          <Button kind="primary" onClick={list.loadMore} disabled={list.isLoadingMore}>
            {list.isLoadingMore ? 'Searching…' : 'Keep searching'}
          </Button>
        }
      >
        <p>The search stopped early so as not to read everything at once. Older sessions may match.</p>
      </EmptyState>
    );
  }
  if (!isFiltered(filters)) return <NoSessions projectId={projectId} />;
  return (
    <EmptyState
      icon="filter"
      title="No session matches"
      actions={
        <Button kind="primary" onClick={clear}>
          Clear filters
        </Button>
      }
    >
      <p>Try a longer time range or fewer filters. New sessions that match show up by themselves.</p>
    </EmptyState>
  );
}

function Footer({ list }: { list: SessionList }) {
  const last = list.sessions.at(-1);
  let content: ReactNode = `${formatCountOf(list.sessions.length, 'session')} · that is all`;
  if (list.isLoadingMore) content = 'Loading more…';
  else if (list.isPartial && list.hasMore) {
    content = (
      <>
        The search stopped early{last && <> at {<Time at={last.started_at} />}</>}; more may match.{' '}
        <Button onClick={list.loadMore}>Keep searching</Button>
      </>
    );
  } else if (list.hasMore) content = 'Scroll for more';
  return <div className="sessions-foot">{content}</div>;
}

function LoadingRows() {
  return (
    <div className="sessions-scroll" aria-busy="true" aria-label="Loading sessions" role="status">
      {Array.from({ length: 12 }, (_, index) => (
        <div key={index} className="session-row loading">
          <Skeleton width={`${String(40 + ((index * 17) % 45))}%`} />
          <Skeleton />
          <Skeleton width="60%" />
          <Skeleton width="70%" />
          <Skeleton width="60%" />
        </div>
      ))}
    </div>
  );
}
