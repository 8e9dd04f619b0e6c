import { useRef, type KeyboardEvent, type ReactNode } from 'react';
import { ChoiceMenu, FilterTokens, SearchInput, useShortcuts, useTypedText } from '../ui';
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

const TYPED = { take: takeTyped, withoutOpenKey };

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
  const [typed, setTyped] = useTypedText<IssueFilters>(TYPED, filters, onChange);
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
        <FilterTokens
          tokens={chips.map(({ key, value }) => ({
            key,
            label: key,
            value,
            remove: () => {
              remove(key);
            },
          }))}
        />
      </SearchInput>
    </div>
  );
}
