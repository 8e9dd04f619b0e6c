import { DropdownMenu } from 'radix-ui';
import { Button, Icon, Switch, useNow } from '../ui';
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

interface ChoiceMenuProps {
  label: string;
  icon: 'clock' | 'sort';
  value: string;
  choices: readonly { key: string; label: string }[];
  onChange: (key: string) => void;
}

function ChoiceMenu({ label, icon, value, choices, onChange }: ChoiceMenuProps) {
  const chosen = choices.find((choice) => choice.key === value) ?? choices[0];
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button className={`choice-${icon}`} aria-label={`${label}: ${chosen?.label ?? ''}`}>
          <Icon name={icon} small />
          <span className="choice-label">{chosen?.label}</span>
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="menu" align="start" sideOffset={6} collisionPadding={8}>
        <DropdownMenu.RadioGroup value={value} onValueChange={onChange}>
          {choices.map((choice) => (
            <DropdownMenu.RadioItem className="menu-item" key={choice.key} value={choice.key}>
              <span className="grow">{choice.label}</span>
              <DropdownMenu.ItemIndicator>
                <Icon name="check" small />
              </DropdownMenu.ItemIndicator>
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
