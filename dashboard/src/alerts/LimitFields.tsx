import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import type { AlertKind, LimitMeasure } from '../api/alerts';
import { Field } from '../settings/Field';
import { changeUnit, isLack, measuresOf, measureWords, withLastWeek, withMeasure } from './limit-draft';
import type { LimitField, LimitForm } from './limit-draft';
import { namesQuery } from './queries';
import { SelectField } from './SelectField';
import { spanInWords, WINDOWS } from './words';

interface LimitFieldsProps {
  project: string;
  kind: AlertKind;
  limit: LimitForm;
  windowMinutes: number;
  faults: Partial<Record<LimitField, string | undefined>>;
  setLimit: (limit: LimitForm) => void;
  setWindow: (minutes: number) => void;
}

const AGAINST = [
  { key: 'value', label: 'A value' },
  { key: 'last_week', label: 'The same time last week' },
] as const;
const SIDES = [
  { key: 'above', label: 'Too much' },
  { key: 'below', label: 'Too little' },
] as const;

/** What is measured of an endpoint or a page, from where on that is too much, and when it is over. */
export function LimitFields(props: LimitFieldsProps) {
  const { project, kind, limit, windowMinutes, faults, setLimit, setWindow } = props;
  const set = (change: Partial<LimitForm>) => {
    setLimit({ ...limit, ...change });
  };
  const { about, unit } = measureWords(limit.measure);
  const shownUnit = limit.lastWeek ? changeUnit(limit.measure) : unit;
  const isLess = isLack(limit);
  return (
    <>
      <NameField project={project} kind={kind} name={limit.name} set={set} />
      <SelectField
        label="What is measured"
        value={limit.measure}
        choices={measuresOf(kind)}
        onChange={(measure: LimitMeasure) => {
          setLimit(withMeasure(limit, measure));
        }}
      >
        {about}
      </SelectField>
      <SelectField
        label="Against"
        value={limit.lastWeek ? 'last_week' : 'value'}
        choices={AGAINST}
        onChange={(against) => {
          setLimit(withLastWeek(limit, against === 'last_week'));
        }}
      >
        {limit.lastWeek ? 'Nothing is told while there was too little a week before to compare with.' : ''}
      </SelectField>
      {limit.measure === 'throughput' && (
        <SelectField
          label="Fires when there is"
          value={limit.below ? 'below' : 'above'}
          choices={SIDES}
          onChange={(side) => {
            set({ below: side === 'below' });
          }}
        >
          {limit.below ? 'Told when a whole window is over, a minute later.' : ''}
        </SelectField>
      )}
      <Field
        name="trigger_at"
        label={limit.lastWeek ? `At least so much ${isLess ? 'lower' : 'higher'}` : isLess ? 'At most' : 'At least'}
        unit={shownUnit}
        value={limit.triggerAt}
        fault={faults.triggerAt}
        onChange={(triggerAt) => {
          set({ triggerAt });
        }}
      >
        It fires from there on.
      </Field>
      <Field
        name="resolve_at"
        label={isLess && !limit.lastWeek ? 'Over when above' : 'Over when below'}
        unit={shownUnit}
        value={limit.resolveAt}
        fault={faults.resolveAt}
        placeholder={limit.triggerAt}
        onChange={(resolveAt) => {
          set({ resolveAt });
        }}
      >
        For a whole window. Empty: the same as above.
      </Field>
      <SelectField
        label="Within"
        value={String(windowMinutes)}
        choices={WINDOWS.map((minutes) => ({ key: String(minutes), label: spanInWords(minutes) }))}
        onChange={(minutes) => {
          setWindow(Number(minutes));
        }}
      >
        {windowMinutes > 180 ? 'It moves by hours.' : 'It moves by minutes.'}
      </SelectField>
      <Scope limit={limit} kind={kind} faults={faults} set={set} />
    </>
  );
}

type Set = (change: Partial<LimitForm>) => void;

function Scope({ limit, kind, faults, set }: Pick<LimitFieldsProps, 'limit' | 'kind' | 'faults'> & { set: Set }) {
  return (
    <>
      {limit.measure === 'apdex' && (
        <Field
          name="apdex_ms"
          label="Satisfied up to"
          unit="ms"
          value={limit.apdexMs}
          fault={faults.apdexMs}
          onChange={(apdexMs) => {
            set({ apdexMs });
          }}
        >
          Tolerated up to four times as long.
        </Field>
      )}
      {(limit.measure !== 'throughput' || limit.lastWeek) && (
        <Field
          name="minimum"
          label="Not with fewer than"
          unit={kind === 'page' ? 'page loads' : 'requests'}
          value={limit.minimum}
          fault={faults.minimum}
          onChange={(minimum) => {
            set({ minimum });
          }}
        >
          Of a handful nothing can be told. What fired is over when there are fewer.
        </Field>
      )}
      <Field
        name="environment"
        label="Only in environment"
        value={limit.environment}
        fault={undefined}
        placeholder="production"
        onChange={(environment) => {
          set({ environment });
        }}
      >
        Empty: any.
      </Field>
      <Field
        name="release"
        label="Only of release"
        value={limit.release}
        fault={undefined}
        placeholder="2.4.1"
        onChange={(release) => {
          set({ release });
        }}
      >
        Empty: any.
      </Field>
    </>
  );
}

function NameField({ project, kind, name, set }: { project: string; kind: AlertKind; name: string; set: Set }) {
  const id = useId();
  const names = useQuery(namesQuery(project, kind === 'page' ? 'page' : 'endpoint')).data;
  return (
    <div className="settings-field">
      <label htmlFor={id}>{kind === 'page' ? 'Page' : 'Endpoint'}</label>
      <div className="settings-input">
        <input
          id={id}
          name="limit_name"
          className="text-field mono"
          list={`${id}-known`}
          autoComplete="off"
          spellCheck={false}
          value={name}
          placeholder={kind === 'page' ? 'all pages together' : 'all endpoints together'}
          aria-describedby={`${id}-about`}
          onChange={(event) => {
            set({ name: event.target.value });
          }}
        />
        <datalist id={`${id}-known`}>
          {names?.map((known) => (
            <option key={known} value={known} />
          ))}
        </datalist>
      </div>
      <p id={`${id}-about`} className="muted-text">
        As the list of {kind === 'page' ? 'pages' : 'endpoints'} has it. Empty: all together.
      </p>
    </div>
  );
}
