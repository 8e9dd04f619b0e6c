import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { ChoiceMenu, Icon, SearchInput, useShortcuts } from '../ui';
import type { IssueSort } from '../api/issues';
import {
  DEFAULT_SORT,
  SORTS,
  STATES,
  takeTyped,
  TEXT_KEYS,
  UNRESOLVED,
  withoutOpenKey,
  type IssueFilters,
  type StateFilter,
} from './filters';

const TYPING_PAUSE_MS = 180;

interface IssueFilterBarProps {
  filters: IssueFilters;
  onChange: (filters: IssueFilters, replace: boolean) => void;
  /** What can be done with the issues that are selected. */
  actions: ReactNode;
}

export function IssueFilterBar({ filters, onChange, actions }: IssueFilterBarProps) {
  const set = (patch: IssueFilters) => {
    onChange({ ...filters, ...patch }, false);
  };
  return (
    <div className="filters" role="search">
      <IssueSearch filters={filters} onChange={onChange} />
      <ChoiceMenu
        label="State"
        icon="filter"
        value={filters.state ?? UNRESOLVED}
        choices={STATES}
        onChange={(state) => {
          set({ state: state === UNRESOLVED ? undefined : (state as StateFilter) });
        }}
      />
      <ChoiceMenu
        label="Sort"
        icon="sort"
        value={filters.sort ?? DEFAULT_SORT}
        choices={SORTS}
        onChange={(sort) => {
          set({ sort: sort === DEFAULT_SORT ? undefined : (sort as IssueSort) });
        }}
      />
      <ChoiceMenu
        label="Time line"
        icon="clock"
        value={filters.span ?? '24h'}
        choices={[
          { key: '24h', label: '24 hours' },
          { key: '30d', label: '30 days' },
        ]}
        onChange={(span) => {
          set({ span: span === '30d' ? span : undefined });
        }}
      />
      <span className="grow" />
      {actions}
    </div>
  );
}

function IssueSearch({ filters, onChange }: Omit<IssueFilterBarProps, 'actions'>) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useTypedText(filters, onChange);
  useShortcuts('Issues', [
    {
      keys: '/',
      label: 'Filter the issues',
      run: () => {
        input.current?.focus();
        input.current?.select();
      },
    },
  ]);
  const chips = TEXT_KEYS.flatMap((key) => (filters[key] === undefined ? [] : [{ key, value: filters[key] }]));
  const remove = (key: keyof IssueFilters) => {
    onChange({ ...filters, [key]: undefined }, false);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const last = chips.at(-1);
    if (event.key === 'Enter') {
      const { filters: next, rest } = takeTyped(typed, filters, true);
      setTyped(rest);
      onChange({ ...next, q: rest.trim() || undefined }, false);
    } else if (event.key === 'Escape') input.current?.blur();
    else if (event.key === 'Backspace' && typed === '' && last) remove(last.key);
  };
  return (
    <div className="filter-search">
      <SearchInput
        inputRef={input}
        value={typed}
        onChange={setTyped}
        onKeyDown={onKeyDown}
        label="Filter issues"
        placeholder={chips.length > 0 ? 'Filter…' : 'Filter by title, place, release:…, page:…'}
        shortcut="/"
      >
        {chips.map(({ key, value }) => (
          <button
            type="button"
            key={key}
            className="filter-token"
            aria-label={`Remove filter ${key}: ${value}`}
            onClick={() => {
              remove(key);
            }}
          >
            <span className="ell">
              {key}: {value}
            </span>
            <Icon name="close" small />
          </button>
        ))}
      </SearchInput>
    </div>
  );
}

/** The text in the field: ahead of the address while someone types, and following it otherwise. */
function useTypedText(
  filters: IssueFilters,
  onChange: (filters: IssueFilters, replace: boolean) => void,
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
      const { filters: next, rest } = takeTyped(typed, latest.current.filters, false);
      const q = withoutOpenKey(rest).trim();
      if (q === applied.current && rest === typed) return;
      applied.current = q;
      if (rest !== typed) setTyped(rest);
      latest.current.onChange({ ...next, q: q || undefined }, rest === typed);
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [typed]);
  return [typed, setTyped];
}
