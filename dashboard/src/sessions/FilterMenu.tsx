import { Popover } from 'radix-ui';
import { useId, useState, type SubmitEvent } from 'react';
import { formatDuration, parseDuration } from '../format/duration';
import { Button, Icon } from '../ui';
import { isHexId, TEXT_FILTERS, type SessionFilters } from './filters';

interface FilterMenuProps {
  filters: SessionFilters;
  onChange: (filters: SessionFilters) => void;
}

/** Every filter by name, in a form. */
export function FilterMenu({ filters, onChange }: FilterMenuProps) {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button>
          <Icon name="filter" small />
          Filters
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className="menu filter-form"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label="Filters"
        >
          <FilterForm
            filters={filters}
            onDone={(next) => {
              setOpen(false);
              onChange(next);
            }}
          />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function FilterForm({ filters, onDone }: { filters: SessionFilters; onDone: (next: SessionFilters) => void }) {
  const [faults, setFaults] = useState<Record<string, string>>({});
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { next, faults: found } = readForm(form, filters);
    setFaults(found);
    if (Object.keys(found).length === 0) onDone(next);
  };
  return (
    <form
      onSubmit={submit}
      onInput={() => {
        setFaults({});
      }}
      noValidate
    >
      {TEXT_FILTERS.map(({ key, label, hint }) => (
        <FormRow key={key} name={key} label={label} hint={hint} value={filters[key] ?? ''} fault={faults[key]} />
      ))}
      <FormRow name="min" label="Longer than" hint="30 s" value={asText(filters.min)} fault={faults['min']} />
      <FormRow name="max" label="Shorter than" hint="10 min" value={asText(filters.max)} fault={faults['max']} />
      <FormRow
        name="from"
        label="Started after"
        type="datetime-local"
        value={asLocal(filters.from)}
        fault={faults['from']}
      />
      <FormRow
        name="to"
        label="Started before"
        type="datetime-local"
        value={asLocal(filters.to)}
        fault={faults['to']}
      />
      <label className="form-check">
        <input type="checkbox" name="failed" defaultChecked={filters.failed ?? false} /> Has failed requests
      </label>
      <div className="filter-form-actions">
        <Button
          kind="ghost"
          onClick={() => {
            onDone({ sort: filters.sort });
          }}
        >
          Clear all
        </Button>
        <Button kind="primary" type="submit">
          Apply
        </Button>
      </div>
    </form>
  );
}

interface FormRowProps {
  name: string;
  label: string;
  value: string;
  hint?: string;
  type?: string;
  fault?: string | undefined;
}

function FormRow({ name, label, value, hint, type = 'text', fault }: FormRowProps) {
  const id = useId();
  return (
    <div className="form-row">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        name={name}
        type={type}
        className="text-field"
        defaultValue={value}
        placeholder={hint}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={fault !== undefined}
        aria-describedby={fault === undefined ? undefined : `${id}-fault`}
      />
      {fault !== undefined && (
        <span id={`${id}-fault`} className="form-fault">
          {fault}
        </span>
      )}
    </div>
  );
}

const asText = (milliseconds: number | undefined) => (milliseconds === undefined ? '' : formatDuration(milliseconds));

/** The value of a `datetime-local` field, in the reader's zone. */
function asLocal(time: number | undefined): string {
  if (time === undefined) return '';
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Filters out of the form, or what is wrong with which field. */
function readForm(form: FormData, filters: SessionFilters) {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const faults: Record<string, string> = {};
  const duration = (name: string) => {
    const value = text(name);
    const parsed = value === '' ? undefined : parseDuration(value);
    if (parsed === null) faults[name] = 'such as 30 s, 2 min, 1 h';
    return parsed ?? undefined;
  };
  const time = (name: string) => {
    const value = text(name);
    return value === '' ? undefined : new Date(value).getTime();
  };
  const next: SessionFilters = {
    ...filters,
    min: duration('min'),
    max: duration('max'),
    from: time('from'),
    to: time('to'),
  };
  for (const { key } of TEXT_FILTERS) next[key] = text(key) || undefined;
  if (next.issue !== undefined && !isHexId(next.issue)) faults['issue'] = 'an id has 32 hexadecimal digits';
  next.failed = form.has('failed') ? true : undefined;
  if (next.from !== undefined && next.to !== undefined && next.from > next.to)
    faults['to'] = 'must be later than the start';
  if (next.from !== undefined || next.to !== undefined) next.range = undefined;
  return { next, faults };
}
