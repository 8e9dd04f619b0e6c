import { ChoiceMenu, Switch, useNow } from '../ui';
import { FilterMenu } from './FilterMenu';
import { FilterSearch } from './FilterSearch';
import { DEFAULT_SORT, describeFilters, RANGES, SORTS, type SessionFilters } from './filters';

interface FilterBarProps {
  filters: SessionFilters;
  projectId: string;
  onChange: (filters: SessionFilters, replace: boolean) => void;
}

export function FilterBar({ filters, projectId, onChange }: FilterBarProps) {
  const now = useNow(60_000);
  const chips = describeFilters(filters, now);
  const set = (patch: SessionFilters) => {
    onChange({ ...filters, ...patch }, false);
  };
  const hasExactTimes = filters.from !== undefined || filters.to !== undefined;
  return (
    <div className="filters" role="search">
      <FilterSearch
        filters={filters}
        // The switch beside the field already says it.
        chips={chips.filter((chip) => chip.key !== 'errors')}
        projectId={projectId}
        onChange={onChange}
      />
      <ChoiceMenu
        label="Time range"
        icon="clock"
        value={hasExactTimes ? '' : (filters.range ?? '')}
        choices={[{ key: '', label: hasExactTimes ? 'Exact times' : 'Any time' }, ...RANGES]}
        onChange={(range) => {
          set({ range: range || undefined, from: undefined, to: undefined });
        }}
      />
      <ChoiceMenu
        label="Sort"
        icon="sort"
        value={filters.sort ?? DEFAULT_SORT}
        choices={SORTS}
        onChange={(sort) => {
          set({ sort: sort === DEFAULT_SORT ? undefined : 'started_at' });
        }}
      />
      <FilterMenu
        filters={filters}
        onChange={(next) => {
          onChange(next, false);
        }}
      />
      <span className="grow" />
      <Switch
        checked={filters.errors ?? false}
        onChange={(checked) => {
          set({ errors: checked ? true : undefined });
        }}
      >
        Error mode
      </Switch>
    </div>
  );
}
