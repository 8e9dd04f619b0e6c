import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { Button, Icon } from '../../ui';
import { lastAtOrBefore, type Moment } from '../moments';
import type { PlayerEngine } from '../player/engine';
import { useAtPlayHead } from '../use-player';

interface SyncedListProps {
  engine: PlayerEngine;
  /** In order of time. */
  items: readonly Moment[];
  label: string;
  picked: Moment | null;
  onPick: (moment: Moment) => void;
  row: (moment: Moment) => ReactNode;
  rowClass?: string;
}

const ROW_HEIGHT = 32;

/**
 * Rows in step with the play head: what is past, the one that is now, what is to come. The list follows until the
 * reader scrolls it; a button takes up following again.
 */
export function SyncedList({ engine, items, label, picked, onPick, row, rowClass = '' }: SyncedListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const now = useAtPlayHead(engine, (at) => lastAtOrBefore(items, at + 1));
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
  });
  useEffect(() => {
    if (following && items.length > 0) rows.scrollToIndex(Math.max(0, now), { align: 'center' });
  }, [following, now, items.length, rows]);
  const stopFollowing = () => {
    setFollowing(false);
  };
  return (
    <div className="synced">
      <div
        ref={scroller}
        className="rows"
        role="list"
        aria-label={label}
        tabIndex={0}
        onWheel={stopFollowing}
        onTouchMove={stopFollowing}
        onKeyDown={(event) => {
          if (moveFocus(event, scroller.current)) stopFollowing();
        }}
      >
        <div className="rows-room" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const moment = items[index];
            if (moment === undefined) return null;
            const when = index < now ? 'past' : index === now ? 'now' : 'future';
            return (
              <div
                key={moment.id}
                role="listitem"
                className="row-place"
                style={{ transform: `translateY(${String(start)}px)` }}
              >
                <button
                  type="button"
                  className={`row ${rowClass} ${when} ${moment.tone} ${picked?.id === moment.id ? 'picked' : ''}`}
                  aria-current={when === 'now' ? 'time' : undefined}
                  data-index={index}
                  onClick={() => {
                    onPick(moment);
                  }}
                >
                  {row(moment)}
                </button>
              </div>
            );
          })}
        </div>
      </div>
      {!following && items.length > 0 && (
        <Button
          className="follow"
          onClick={() => {
            setFollowing(true);
          }}
        >
          <Icon name="clock" small />
          Follow the play head
        </Button>
      )}
    </div>
  );
}

/** Arrow keys walk over the rows; true when they did. */
function moveFocus(event: KeyboardEvent, scroller: HTMLElement | null): boolean {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return false;
  const rows = [...(scroller?.querySelectorAll<HTMLButtonElement>('button.row') ?? [])];
  const focused = rows.findIndex((row) => row === document.activeElement);
  const current = focused === -1 ? rows.findIndex((row) => row.classList.contains('now')) : focused;
  const next = focused === -1 ? rows[Math.max(0, current)] : rows[current + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return false;
  event.preventDefault();
  next.focus();
  return true;
}
