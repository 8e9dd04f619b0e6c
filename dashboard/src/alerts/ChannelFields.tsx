import type { ReactNode } from 'react';
import type { AlertChannel, ChannelKind } from '../api/alerts';
import { Field } from '../settings/Field';
import type { ChannelField, ChannelForm } from './channel-draft';
import { SelectField } from './SelectField';
import { CHANNEL_KINDS } from './words';

interface ChannelFieldsProps {
  form: ChannelForm;
  channel: AlertChannel | null;
  faultOf: (field: ChannelField) => string | undefined;
  set: (change: Partial<ChannelForm>) => void;
}

/** Where the address of a kind comes from. */
const ADDRESSES: Partial<Record<ChannelKind, { placeholder: string; about: ReactNode }>> = {
  slack: {
    placeholder: 'https://hooks.slack.com/services/…',
    about: 'Of an app with Incoming Webhooks (api.slack.com/apps). What understands Slack’s blocks works too.',
  },
  teams: {
    placeholder: 'https://….logic.azure.com/…',
    about: 'Of the workflow “Send webhook alerts to a channel”.',
  },
  discord: {
    placeholder: 'https://discord.com/api/webhooks/…',
    about: 'Server settings → Integrations → Webhooks. For a thread add ?thread_id=….',
  },
  webhook: {
    placeholder: 'https://hooks.example.com/playhead',
    about: 'Gets signed JSON by POST, with an idempotency key.',
  },
};

export function ChannelFields({ form, channel, faultOf, set }: ChannelFieldsProps) {
  const address = ADDRESSES[form.kind];
  const kept = channel ? `unchanged: ${channel.target}` : undefined;
  return (
    <div className="settings-form">
      <Field
        name="name"
        label="Name"
        value={form.name}
        fault={faultOf('name')}
        placeholder="On call"
        onChange={(name) => {
          set({ name });
        }}
      />
      <SelectField
        label="Kind"
        value={form.kind}
        choices={channel ? CHANNEL_KINDS.filter(({ key }) => key === form.kind) : CHANNEL_KINDS}
        onChange={(kind) => {
          set({ kind });
        }}
      />
      {address && (
        <Field
          name="url"
          label="Address"
          value={form.url}
          fault={faultOf('url')}
          placeholder={kept ?? address.placeholder}
          onChange={(url) => {
            set({ url });
          }}
        >
          {address.about}
        </Field>
      )}
      {form.kind === 'webhook' && (
        <Field
          name="secret"
          label="Signing secret"
          value={form.secret}
          fault={faultOf('secret')}
          placeholder={channel ? `unchanged: ${channel.secret_hint ?? ''}` : 'made for you'}
          onChange={(secret) => {
            set({ secret });
          }}
        >
          {channel
            ? 'With a new address and none here, a new one is made and shown once.'
            : '16 to 256 characters. Empty: one is made and shown once.'}
        </Field>
      )}
      {form.kind === 'jira' && (
        <p className="muted-text">
          Creates a Jira issue for each issue that triggers, with the project, type and fields of the connection in the
          settings.
        </p>
      )}
      {form.kind === 'pagerduty' && <PagerDuty {...{ form, kept, faultOf, set }} />}
      {form.kind === 'email' && (
        <Field
          name="recipients"
          label="Recipients"
          lines
          value={form.recipients}
          fault={faultOf('recipients')}
          placeholder="oncall@example.com"
          onChange={(recipients) => {
            set({ recipients });
          }}
        >
          One address a line, at most 20. Sent by the installation’s mail server.
        </Field>
      )}
    </div>
  );
}

function PagerDuty({ form, kept, faultOf, set }: Omit<ChannelFieldsProps, 'channel'> & { kept: string | undefined }) {
  return (
    <>
      <Field
        name="routing_key"
        label="Integration key"
        value={form.routingKey}
        fault={faultOf('routingKey')}
        placeholder={kept}
        onChange={(routingKey) => {
          set({ routingKey });
        }}
      >
        Of an Events API V2 integration of a service.
      </Field>
      <SelectField
        label="Region"
        value={form.isEuropean ? 'eu' : 'us'}
        choices={[
          { key: 'us', label: 'United States' },
          { key: 'eu', label: 'European Union' },
        ]}
        onChange={(region) => {
          set({ isEuropean: region === 'eu' });
        }}
      >
        Where your PagerDuty account is.
      </SelectField>
    </>
  );
}
