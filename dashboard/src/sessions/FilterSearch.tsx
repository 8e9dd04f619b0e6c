import { useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useRef, useState, type KeyboardEvent } from 'react';
import type { SessionPage } from '../api/model';
import { FilterTokens, SearchInput, useShortcuts, useTypedText } from '../ui';
import { takeTypedFilters, withoutOpenKey, type FilterChip, type SessionFilters } from './filters';
import { suggestFilters, type Suggestion } from './suggestions';

const TYPED = { take: takeTypedFilters, withoutOpenKey };

interface FilterSearchProps {
  filters: SessionFilters;
  chips: readonly FilterChip[];
  projectId: string;
  onChange: (filters: SessionFilters, replace: boolean) => void;
}

/** One field for everything: free text filters as it is typed, `key:value` and suggestions become chips. */
export function FilterSearch({ filters, chips, projectId, onChange }: FilterSearchProps) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useTypedText<SessionFilters>(TYPED, filters, onChange);
  const [index, setIndex] = useState(-1);
  const [isOpen, setOpen] = useState(false);
  const queries = useQueryClient();
  const suggestions = isOpen && typed !== '' ? suggestFilters(typed, seenSessions(queries, projectId), filters) : [];

  useShortcuts('Sessions', [
    {
      keys: '/',
      label: 'Filter the sessions',
      run: () => {
        input.current?.focus();
        input.current?.select();
      },
    },
  ]);
  const take = (suggestion: Suggestion) => {
    setTyped('');
    setIndex(-1);
    onChange({ ...filters, q: undefined, [suggestion.key]: suggestion.value }, false);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const selected = suggestions[index];
    if (step !== undefined && suggestions.length > 0) {
      event.preventDefault();
      setIndex((index + step + suggestions.length) % suggestions.length);
    } else if (event.key === 'Enter' && selected) {
      take(selected);
    } else if (event.key === 'Enter') {
      const { filters: next, rest } = takeTypedFilters(typed, filters, true);
      setTyped(rest);
      onChange({ ...next, q: rest.trim() || undefined }, false);
    } else if (event.key === 'Escape') {
      if (isOpen && suggestions.length > 0) setOpen(false);
      else input.current?.blur();
    } else if (event.key === 'Backspace' && typed === '') {
      const last = chips.at(-1);
      if (last) onChange(last.without, false);
    }
  };
  return (
    <div
      className="filter-search"
      onFocus={() => {
        setOpen(true);
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <SearchInput
        inputRef={input}
        value={typed}
        onChange={(text) => {
          setTyped(text);
          setIndex(-1);
          setOpen(true);
        }}
        onKeyDown={onKeyDown}
        label="Filter sessions"
        placeholder={chips.length > 0 ? 'Filter…' : 'Filter by user, page, id, browser:…'}
        shortcut="/"
      >
        <FilterTokens
          tokens={chips.map(({ key, label, value, without }) => ({
            key,
            label,
            value,
            remove: () => {
              onChange(without, false);
            },
          }))}
        />
      </SearchInput>
      <Suggestions
        suggestions={suggestions}
        index={index}
        onTake={(suggestion) => {
          take(suggestion);
          input.current?.focus();
        }}
      />
      <span className="hidden-text" aria-live="polite">
        {suggestions[index] ? `${suggestions[index].label}: ${suggestions[index].value}, Enter to filter` : ''}
      </span>
    </div>
  );
}

interface SuggestionsProps {
  suggestions: readonly Suggestion[];
  /** The one that Enter takes. */
  index: number;
  onTake: (suggestion: Suggestion) => void;
}

function Suggestions({ suggestions, index, onTake }: SuggestionsProps) {
  if (suggestions.length === 0) return null;
  return (
    <ul className="menu suggestions" aria-label="Suggested filters">
      {suggestions.map((suggestion, position) => (
        <li key={`${suggestion.key}-${suggestion.value}`}>
          <button
            type="button"
            className="menu-item"
            data-highlighted={position === index || undefined}
            aria-label={`${suggestion.label}: ${suggestion.value}${suggestion.hint ? `, ${suggestion.hint}` : ''}`}
            onClick={() => {
              onTake(suggestion);
            }}
          >
            <span className="muted">{suggestion.label}</span>
            <span className="ell grow">{suggestion.value}</span>
            {suggestion.hint && <span className="muted">{suggestion.hint}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

const SEEN_MAX = 500;

/** Sessions of every list that was shown: the one shown now may already be filtered by the text itself. */
function seenSessions(queries: QueryClient, projectId: string) {
  const lists = queries.getQueriesData<InfiniteData<SessionPage>>({ queryKey: ['sessions', projectId] });
  const sessions = lists.flatMap(([, list]) => list?.pages.flatMap((page) => page.items) ?? []);
  return [...new Map(sessions.map((session) => [session.id, session])).values()].slice(0, SEEN_MAX);
}
