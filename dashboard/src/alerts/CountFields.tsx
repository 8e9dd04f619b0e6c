import { useId } from 'react';
import type { AlertMeasure } from '../api/alerts';
import { Field } from '../settings/Field';
import type { RuleField, RuleForm } from './rule-draft';
import { MEASURES, spanInWords, WINDOWS } from './words';

interface CountFieldsProps {
  form: RuleForm;
  faults: Partial<Record<RuleField, string | undefined>>;
  set: (change: Partial<RuleForm>) => void;
}

const ABOUT: Record<AlertMeasure, string> = {
  events: 'Every time that it happened.',
  sessions: 'Sessions that had it first within the time: one that goes on having it counts once.',
  users: 'Exact for an issue that began within the time, else at most so many.',
  share: 'Sessions that had it first within the time, of those that began in it.',
};

/** How often an issue has to be seen, and when that is over. */
export function CountFields({ form, faults, set }: CountFieldsProps) {
  const id = useId();
  const { measure, windowMinutes } = form;
  return (
    <>
      <div className="settings-field">
        <label htmlFor={id}>At least</label>
        <div className="settings-input count-input">
          <input
            id={id}
            name="at_least"
            className="text-field short num"
            inputMode="decimal"
            autoComplete="off"
            value={form.atLeast}
            aria-invalid={faults.atLeast !== undefined}
            aria-describedby={`${id}-about`}
            onChange={(event) => {
              set({ atLeast: event.target.value });
            }}
          />
          <select
            className="text-field"
            aria-label="What is counted"
            value={measure}
            onChange={(event) => {
              set({ measure: event.target.value as AlertMeasure });
            }}
          >
            {MEASURES.map(({ key, label }) => (
              <option key={key} value={key}>
                {label}
              </option>
            ))}
          </select>
          <span className="muted-text">within</span>
          <select
            className="text-field"
            aria-label="Within which time"
            value={windowMinutes}
            onChange={(event) => {
              set({ windowMinutes: Number(event.target.value) });
            }}
          >
            {WINDOWS.map((minutes) => (
              <option key={minutes} value={minutes}>
                {spanInWords(minutes)}
              </option>
            ))}
          </select>
        </div>
        <p id={`${id}-about`} className={faults.atLeast === undefined ? 'muted-text' : 'form-fault'}>
          {faults.atLeast ?? ABOUT[measure]}
        </p>
      </div>
      <Field
        name="resolve_below"
        label="Over when below"
        unit={MEASURES.find(({ key }) => key === measure)?.label ?? ''}
        value={form.resolveBelow}
        fault={faults.resolveBelow}
        placeholder={form.atLeast}
        onChange={(resolveBelow) => {
          set({ resolveBelow });
        }}
      >
        For all of {windowMinutes === 60 || windowMinutes === 1440 ? '' : 'the '}
        {spanInWords(windowMinutes)}. Empty: the same as above.
      </Field>
      {measure === 'share' && (
        <Field
          name="minimum_sessions"
          label="Not with fewer than"
          unit="sessions"
          value={form.minimumSessions}
          fault={faults.minimumSessions}
          onChange={(minimumSessions) => {
            set({ minimumSessions });
          }}
        >
          Of a handful of sessions a share says nothing.
        </Field>
      )}
    </>
  );
}
