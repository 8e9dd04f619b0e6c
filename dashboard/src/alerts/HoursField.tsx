import { useId } from 'react';
import type { AlertDay, AlertHours } from '../api/alerts';
import { Switch } from '../ui';
import { officeHours } from './rule-draft';
import { DAYS } from './words';

interface HoursFieldProps {
  hours: AlertHours | null;
  fault: string | undefined;
  onChange: (hours: AlertHours | null) => void;
}

/** The hours in which a rule tells. */
export function HoursField({ hours, fault, onChange }: HoursFieldProps) {
  const id = useId();
  return (
    <div className="settings-field" role="group" aria-labelledby={`${id}-label`} aria-describedby={`${id}-about`}>
      <span id={`${id}-label`} className="field-label">
        Hours
      </span>
      <Switch
        checked={hours !== null}
        onChange={(on) => {
          onChange(on ? officeHours() : null);
        }}
      >
        Only within certain hours
      </Switch>
      {hours !== null && <Hours hours={hours} onChange={onChange} />}
      <p id={`${id}-about`} className={fault === undefined ? 'muted-text' : 'form-fault'}>
        {fault ??
          (hours === null
            ? 'It tells at any time.'
            : 'What fires outside of them is listed at once and told when they begin, unless it is over by then.')}
      </p>
    </div>
  );
}

function Hours({ hours, onChange }: { hours: AlertHours; onChange: (hours: AlertHours) => void }) {
  const toggle = (day: AlertDay) => {
    const isOn = hours.days.includes(day);
    // In the order of the week, as the API gives them back.
    const days = DAYS.map(({ key }) => key).filter((key) => (key === day ? !isOn : hours.days.includes(key)));
    onChange({ ...hours, days });
  };
  return (
    <>
      <div className="hours-days">
        {DAYS.map(({ key, label, short }) => (
          <button
            key={key}
            type="button"
            className="btn"
            title={label}
            aria-pressed={hours.days.includes(key)}
            onClick={() => {
              toggle(key);
            }}
          >
            {short}
          </button>
        ))}
      </div>
      <div className="settings-input hours-times">
        {(['from', 'to'] as const).map((end) => (
          <label key={end}>
            <span className="muted-text">{end}</span>
            <input
              type="time"
              className="text-field"
              name={`hours_${end}`}
              value={hours[end]}
              onChange={(event) => {
                onChange({ ...hours, [end]: event.target.value });
              }}
            />
          </label>
        ))}
        <Zone
          zone={hours.zone}
          onChange={(zone) => {
            onChange({ ...hours, zone });
          }}
        />
      </div>
    </>
  );
}

function Zone({ zone, onChange }: { zone: string; onChange: (zone: string) => void }) {
  // What a browser does not list may still be stored.
  const zones = [...new Set(['UTC', zone, ...Intl.supportedValuesOf('timeZone')])];
  return (
    <select
      className="text-field"
      aria-label="Time zone"
      value={zone}
      onChange={(event) => {
        onChange(event.target.value);
      }}
    >
      {zones.map((name) => (
        <option key={name} value={name}>
          {name.replaceAll('_', ' ')}
        </option>
      ))}
    </select>
  );
}
