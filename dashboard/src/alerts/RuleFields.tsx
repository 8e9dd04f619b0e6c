import type { Problem } from '../api/problem';
import { Field } from '../settings/Field';
import { Switch } from '../ui';
import { ChannelChoice } from './ChannelChoice';
import { CountFields } from './CountFields';
import { EscalationFields } from './EscalationFields';
import { HoursField } from './HoursField';
import { LimitFields } from './LimitFields';
import { MuteField } from './MuteField';
import { isOfIssues, isOfLimit, withKind, type RuleField, type RuleForm } from './rule-draft';
import { SelectField } from './SelectField';
import { KINDS } from './words';

export interface RuleFieldsProps {
  project: string;
  form: RuleForm;
  faults: Partial<Record<RuleField, string | undefined>>;
  /** What the server said of one of the fields. */
  refused: Problem | null;
  set: (change: Partial<RuleForm>) => void;
}

export function RuleFields({ project, form, faults, refused, set }: RuleFieldsProps) {
  const refusal = (field: string) => (refused?.field === field ? refused.detail || refused.title : undefined);
  return (
    <div className="settings-form">
      <Field
        name="name"
        label="Name"
        value={form.name}
        fault={faults.name ?? refusal('name')}
        placeholder="Checkout breaks"
        onChange={(name) => {
          set({ name });
        }}
      >
        What people read in the message.
      </Field>
      <KindField form={form} set={set} />
      {form.kind === 'seen' && <CountFields form={form} faults={faults} set={set} />}
      {form.kind === 'silent' && (
        <Field
          name="silent_minutes"
          label="Silent for"
          unit="minutes"
          value={form.silentMinutes}
          fault={faults.silentMinutes}
          onChange={(silentMinutes) => {
            set({ silentMinutes });
          }}
        >
          At least 5. Over when something is received again.
        </Field>
      )}
      {isOfLimit(form.kind) && (
        <LimitFields
          project={project}
          kind={form.kind}
          limit={form.limit}
          windowMinutes={form.windowMinutes}
          faults={faults}
          setLimit={(limit) => {
            set({ limit });
          }}
          setWindow={(windowMinutes) => {
            set({ windowMinutes });
          }}
        />
      )}
      <Refusal text={refusal('condition')} />
      {isOfIssues(form.kind) && (
        <>
          <Field
            name="filter"
            label="Only issues that match"
            value={form.filter}
            fault={refusal('filter')}
            placeholder="type:TypeError page:/checkout release:2.4.1"
            onChange={(filter) => {
              set({ filter });
            }}
          >
            As in the list of issues: words, and release, assignee, type, is, mechanism, page, browser, os, country.
            Empty: all.
          </Field>
          <PriorityField form={form} set={set} />
          <Refusal text={refusal('priority')} />
        </>
      )}
      <TellFields project={project} form={form} faults={faults} refusal={refusal} set={set} />
      <Field
        name="throttle_minutes"
        label={isOfIssues(form.kind) ? 'Once per issue within' : 'Once within'}
        unit="minutes"
        value={form.throttleMinutes}
        fault={faults.throttleMinutes ?? refusal('throttle_minutes')}
        onChange={(throttleMinutes) => {
          set({ throttleMinutes });
        }}
      >
        What begins and is over again within it is not told a second time.
      </Field>
      <MuteField
        mutedUntil={form.mutedUntil}
        onChange={(mutedUntil) => {
          set({ mutedUntil });
        }}
      />
      <div className="settings-switch">
        <Switch
          checked={!form.disabled}
          onChange={(on) => {
            set({ disabled: !on });
          }}
        >
          The rule is on
        </Switch>
        <p className="muted-text">Off: it looks at nothing, and what it fired stays as it is.</p>
      </div>
    </div>
  );
}

interface TellFieldsProps extends Pick<RuleFieldsProps, 'project' | 'form' | 'faults' | 'set'> {
  refusal: (field: string) => string | undefined;
}

/** Whom the rule tells, and when. */
function TellFields({ project, form, faults, refusal, set }: TellFieldsProps) {
  return (
    <>
      <ChannelChoice
        project={project}
        legend="Tells"
        none="Nobody is told."
        chosen={form.channels}
        onChange={(channels) => {
          set({ channels });
        }}
      />
      <Refusal text={refusal('channels')} />
      <HoursField
        hours={form.hours}
        fault={faults.hours ?? refusal('hours')}
        onChange={(hours) => {
          set({ hours });
        }}
      />
      <EscalationFields project={project} form={form} fault={faults.escalateMinutes} set={set} />
      <Refusal text={refusal('escalation')} />
    </>
  );
}

function Refusal({ text }: { text: string | undefined }) {
  if (text === undefined) return null;
  return (
    <p className="form-fault" role="alert">
      {text}
    </p>
  );
}

interface PartProps {
  form: RuleForm;
  set: (change: Partial<RuleForm>) => void;
}

function KindField({ form, set }: PartProps) {
  return (
    <fieldset className="rule-kinds">
      <legend>Fires when there is</legend>
      <div>
        {KINDS.map(({ key, label, about }) => (
          <label key={key} className="rule-kind">
            <input
              type="radio"
              name="kind"
              value={key}
              checked={form.kind === key}
              onChange={() => {
                set(withKind(form, key));
              }}
            />
            <span>
              {label}
              <span className="sub">{about}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const PRIORITIES = [
  { key: '', label: 'Any' },
  { key: 'low', label: 'Low and above' },
  { key: 'medium', label: 'Medium and high' },
  { key: 'high', label: 'High' },
] as const;

function PriorityField({ form, set }: PartProps) {
  return (
    <SelectField
      label="Of priority"
      value={form.priority}
      // Low and above is what any is: shown only where somebody wrote it.
      choices={PRIORITIES.filter(({ key }) => key !== 'low' || form.priority === 'low')}
      onChange={(priority) => {
        set({ priority });
      }}
    >
      Looked at when the rule would fire.
    </SelectField>
  );
}
