import { useCallback, useRef, type RefObject } from 'react';
import { useShortcuts } from './shortcuts';

interface RowKeys {
  /** Of the list of shortcuts: `Sessions`. */
  group: string;
  /** What one row is: `session`. */
  one: string;
  scroller: RefObject<HTMLDivElement | null>;
  count: number;
  /** Selector of the link that a row is opened by. */
  link: string;
  /** Scrolls a row into sight. */
  reveal: (index: number) => void;
}

/**
 * `j` and `k` move the focus from row to row (elements with `data-index`); Enter then follows the row's link. Answers with
 * a function that reads which row is current, -1 when none was chosen yet.
 */
export function useRowKeys({ group, one, scroller, count, link, reveal }: RowKeys): () => number {
  const current = useRef(-1);
  const linkOf = (index: number) =>
    scroller.current?.querySelector<HTMLElement>(`[data-index="${String(index)}"] ${link}`) ?? null;
  const focusRow = (index: number) => {
    linkOf(index)?.focus({ preventScroll: true });
    return linkOf(index) !== null;
  };
  const move = (step: number) => () => {
    if (count === 0) return;
    current.current = focusedRow() ?? current.current;
    const next = Math.min(Math.max(current.current + step, 0), count - 1);
    current.current = next;
    reveal(next);
    if (!focusRow(next)) requestAnimationFrame(() => requestAnimationFrame(() => focusRow(next)));
  };
  useShortcuts(group, [
    { keys: 'j', label: `Next ${one}`, run: move(1) },
    { keys: 'k', label: `Previous ${one}`, run: move(-1) },
    { keys: 'ArrowDown', label: `Next ${one}`, run: move(1), unlisted: true },
    { keys: 'ArrowUp', label: `Previous ${one}`, run: move(-1), unlisted: true },
    {
      keys: 'Enter',
      label: `Open the ${one}`,
      run: () => {
        linkOf(current.current)?.click();
      },
    },
  ]);
  return useCallback(() => focusedRow() ?? current.current, []);
}

/** The row that has the focus inside it. */
function focusedRow(): number | null {
  const row = document.activeElement?.closest('[data-index]')?.getAttribute('data-index');
  return row === null || row === undefined ? null : Number(row);
}
