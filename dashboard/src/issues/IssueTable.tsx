import { useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useImperativeHandle, useMemo, useRef, type ReactNode, type Ref } from 'react';
import { useLoadAhead, useShortcuts } from '../ui';
import { useNarrow } from '../ui/narrow';
import { useRowKeys } from '../ui/row-keys';
import { createColumns, features } from './columns';
import type { IssueFilters } from './filters';
import type { IssueList } from './queries';
import type { Selection } from './selection';

const ROW_HEIGHT = 76;
const CARD_HEIGHT = 150;

/** What the page asks of its table. */
export interface IssueTableHandle {
  /** Index of the row that the keys are on; -1 for none. */
  current: () => number;
}

interface IssueTableProps {
  list: IssueList;
  filters: IssueFilters;
  projectId: string;
  selection: Selection;
  footer: ReactNode;
  ref: Ref<IssueTableHandle>;
}

/** The rows, only those in sight drawn; on narrow screens each row is a card. */
export function IssueTable({ list, filters, projectId, selection, footer, ref }: IssueTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useNarrow();
  const { has, toggle } = selection;
  const columns = useMemo(
    () => createColumns({ projectId, span: filters.span, isSelected: has, toggle }),
    [projectId, filters.span, has, toggle],
  );
  const table = useTable({ features, columns, data: list.issues, getRowId: (issue) => issue.id });
  const rows = table.getRowModel().rows;
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isNarrow ? CARD_HEIGHT : ROW_HEIGHT),
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 6,
  });
  useEffect(() => {
    virtualizer.measure();
  }, [isNarrow, virtualizer]);
  const items = virtualizer.getVirtualItems();
  useLoadAhead(list, items.at(-1)?.index ?? 0, rows.length);
  const reveal = (index: number) => {
    virtualizer.scrollToIndex(index, { align: 'auto' });
  };
  const count = rows.length;
  const current = useRowKeys({ group: 'Issues', one: 'issue', scroller, count, link: '.issue-link', reveal });
  useImperativeHandle(ref, () => ({ current }));
  useShortcuts('Issues', [
    {
      keys: 'x',
      label: 'Select the issue',
      run: () => {
        const id = rows[current()]?.id;
        if (id !== undefined) toggle(id);
      },
    },
    { keys: 'Escape', label: 'Clear the selection', run: selection.clear },
  ]);
  return (
    <div ref={scroller} className="sessions-scroll" data-stale={list.isStale || undefined} tabIndex={-1}>
      <div role="table" aria-label="Issues" aria-rowcount={list.hasMore ? -1 : count + 1}>
        <div role="rowgroup" className="sessions-head">
          {table.getHeaderGroups().map((group) => (
            <div role="row" aria-rowindex={1} className="issue-row" key={group.id}>
              {group.headers.map((header) => (
                <span role="columnheader" key={header.id} className={`cell-${header.column.id}`}>
                  <table.FlexRender header={header} />
                </span>
              ))}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="issues-body" style={{ height: virtualizer.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (!row) return null;
            return (
              <div
                role="row"
                key={row.id}
                aria-rowindex={item.index + 2}
                data-index={item.index}
                data-selected={has(row.id) || undefined}
                className="issue-row"
                style={{ transform: `translateY(${String(item.start)}px)`, height: item.size }}
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
