import { useEffect, useRef, useState } from 'react';

const TYPING_PAUSE_MS = 180;

/** How a list's filters are typed. */
export interface TypedFilters<Filters extends { q?: string }> {
  /** Takes `key:value` out of typed text; a word counts once a space follows, or the end when the text is `complete`. */
  take: (typed: string, filters: Filters, complete: boolean) => { filters: Filters; rest: string };
  /** Typed text without a filter at its end that is still being typed. */
  withoutOpenKey: (typed: string) => string;
}

/** The text in a list's search field: ahead of the address while someone types, and following it otherwise. */
export function useTypedText<Filters extends { q?: string }>(
  { take, withoutOpenKey }: TypedFilters<Filters>,
  filters: Filters,
  onChange: (filters: Filters, replace: boolean) => void,
): [string, (text: string) => void] {
  const [typed, setTyped] = useState(filters.q ?? '');
  const applied = useRef(filters.q ?? '');
  const latest = useRef({ filters, onChange });
  useEffect(() => {
    latest.current = { filters, onChange };
  });
  useEffect(() => {
    const fromAddress = filters.q ?? '';
    if (fromAddress === applied.current) return;
    applied.current = fromAddress;
    setTyped(fromAddress);
  }, [filters.q]);
  useEffect(() => {
    const timer = setTimeout(() => {
      const { filters: next, rest } = take(typed, latest.current.filters, false);
      const q = withoutOpenKey(rest).trim();
      if (q === applied.current && rest === typed) return;
      applied.current = q;
      if (rest !== typed) setTyped(rest);
      latest.current.onChange({ ...next, q: q || undefined }, rest === typed);
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed, take, withoutOpenKey]);
  return [typed, setTyped];
}
