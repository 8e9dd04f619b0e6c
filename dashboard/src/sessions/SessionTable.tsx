import { useQueryClient } from '@tanstack/react-query';
import { useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import { sessionQuery } from '../api/queries';
import { createColumns, features } from './columns';
import type { SessionFilters } from './filters';
import type { SessionList } from './list';
import { useLoadAhead } from '../ui';
import { useNarrow } from '../ui/narrow';
import { useRowKeys } from '../ui/row-keys';

const ROW_HEIGHT = 52;
const CARD_HEIGHT = 116;

interface SessionTableProps {
  list: SessionList;
  filters: SessionFilters;
  footer: ReactNode;
}

/** The rows, only those in sight drawn; on narrow screens each row is a card. */
export function SessionTable({ list, filters, footer }: SessionTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useNarrow();
  const columns = useMemo(() => createColumns(filters), [filters]);
  const table = useTable({ features, columns, data: list.sessions, getRowId: (session) => session.id });
  const rows = table.getRowModel().rows;
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isNarrow ? CARD_HEIGHT : ROW_HEIGHT),
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  });
  useEffect(() => {
    virtualizer.measure();
  }, [isNarrow, virtualizer]);

  const items = virtualizer.getVirtualItems();
  // A search that stopped early goes on when somebody asks for it.
  const { isLoadingMore, loadMore } = list;
  const ahead = { hasMore: list.hasMore && !list.isPartial, isLoadingMore, loadMore };
  useLoadAhead(ahead, items.at(-1)?.index ?? 0, rows.length);

  useRowKeys({
    group: 'Sessions',
    one: 'session',
    scroller,
    count: rows.length,
    link: '.session-link',
    reveal: (index) => {
      virtualizer.scrollToIndex(index, { align: 'auto' });
    },
  });
  const queries = useQueryClient();
  return (
    <div ref={scroller} className="sessions-scroll" data-stale={list.isStale || undefined} tabIndex={-1}>
      <div
        role="table"
        aria-label="Sessions"
        aria-rowcount={list.hasMore ? -1 : rows.length + 1}
        className="sessions-table"
      >
        <div role="rowgroup" className="sessions-head">
          {table.getHeaderGroups().map((group) => (
            <div role="row" aria-rowindex={1} className="session-row" key={group.id}>
              {group.headers.map((header) => (
                <span role="columnheader" key={header.id} className={`cell-${header.column.id}`}>
                  <table.FlexRender header={header} />
                </span>
              ))}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="sessions-body" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            const session = row.original;
            return (
              <div
                role="row"
                key={row.id}
                aria-rowindex={item.index + 2}
                data-index={item.index}
                data-live={session.state === 'live' || undefined}
                className="session-row"
                style={{ transform: `translateY(${String(item.start)}px)`, height: item.size }}
                onClick={() => {
                  // The replay page starts with what the list knows.
                  queries.setQueryData(sessionQuery(session.project_id, session.id).queryKey, session);
                }}
              >
                {row.getAllCells().map((cell) => (
                  <div role="cell" key={cell.id} className={`cell-${cell.column.id}`}>
                    <table.FlexRender cell={cell} />
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {footer}
    </div>
  );
}
