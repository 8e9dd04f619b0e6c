import { Field } from '../settings/Field';
import { ChannelChoice } from './ChannelChoice';
import type { RuleForm } from './rule-draft';

interface EscalationFieldsProps {
  project: string;
  form: RuleForm;
  fault: string | undefined;
  set: (change: Partial<RuleForm>) => void;
}

/** Who is told of what nobody acknowledges. */
export function EscalationFields({ project, form, fault, set }: EscalationFieldsProps) {
  return (
    <>
      <ChannelChoice
        project={project}
        legend="If nobody acknowledges it, also tells"
        none="Nobody else is told."
        chosen={form.escalationChannels}
        onChange={(escalationChannels) => {
          set({ escalationChannels });
        }}
      />
      {form.escalationChannels.length > 0 && (
        <Field
          name="escalate_minutes"
          label="After"
          unit="minutes"
          value={form.escalateMinutes}
          fault={fault}
          onChange={(escalateMinutes) => {
            set({ escalateMinutes });
          }}
        >
          From when it was told, once. Whoever acknowledges it in time stops it.
        </Field>
      )}
    </>
  );
}
