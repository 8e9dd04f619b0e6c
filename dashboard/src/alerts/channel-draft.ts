import type { AlertChannel, ChannelKind, ChannelSettings } from '../api/alerts';
import { lines } from '../settings/draft';

/** A channel as the form holds it. Secrets that are kept are never read back: their fields begin empty. */
export interface ChannelForm {
  name: string;
  kind: ChannelKind;
  url: string;
  /** What signs a web hook's messages. */
  secret: string;
  routingKey: string;
  isEuropean: boolean;
  /** One address a line. */
  recipients: string;
}

export type ChannelField = 'name' | 'url' | 'secret' | 'routingKey' | 'recipients';

/** What the API calls the fields when it refuses them. */
export const API_FIELDS: Record<ChannelField, string> = {
  name: 'name',
  url: 'settings.url',
  secret: 'settings.secret',
  routingKey: 'settings.routing_key',
  recipients: 'settings.recipients',
};

export const NEW_CHANNEL: ChannelForm = {
  name: '',
  kind: 'slack',
  url: '',
  secret: '',
  routingKey: '',
  isEuropean: false,
  recipients: '',
};

const EUROPEAN = 'https://events.eu.pagerduty.com/v2/enqueue';

export function channelFormOf(channel: AlertChannel): ChannelForm {
  return {
    ...NEW_CHANNEL,
    name: channel.name,
    kind: channel.kind,
    isEuropean: channel.target.includes('.eu.pagerduty.com'),
    recipients: channel.recipients.join('\n'),
  };
}

/** Whether the settings of a known channel are to be replaced; its name alone can be changed without them. */
export function replacesSettings(form: ChannelForm, known: AlertChannel): boolean {
  if (form.kind === 'jira') return false;
  if (form.kind === 'email') return lines(form.recipients).join('\n') !== known.recipients.join('\n');
  const before = channelFormOf(known);
  return (
    [form.url, form.secret, form.routingKey].some((text) => text.trim() !== '') || form.isEuropean !== before.isEuropean
  );
}

export function channelFaults(form: ChannelForm, known: AlertChannel | null): Partial<Record<ChannelField, string>> {
  const faults: Partial<Record<ChannelField, string>> = {};
  if (form.name.trim() === '') faults.name = 'must be given';
  if (form.kind === 'jira' || (known && !replacesSettings(form, known))) return faults;
  if (form.kind === 'email') {
    const count = lines(form.recipients).length;
    if (count < 1 || count > 20) faults.recipients = 'must be 1 to 20 addresses';
  } else if (form.kind === 'pagerduty') {
    if (form.routingKey.trim() === '') faults.routingKey = 'must be given';
  } else if (form.url.trim() === '') {
    faults.url = known ? 'must be given again: the kept address is not read back' : 'must be given';
  }
  return faults;
}

/** What the API takes. Only for a form without faults. */
export function settingsOf({ kind, url, secret, routingKey, isEuropean, recipients }: ChannelForm): ChannelSettings {
  switch (kind) {
    case 'email':
      return { kind, recipients: lines(recipients) };
    case 'pagerduty':
      return { kind, routing_key: routingKey.trim(), ...(isEuropean && { url: EUROPEAN }) };
    case 'jira':
      return { kind };
    case 'webhook':
      return { kind, url: url.trim(), ...(secret.trim() !== '' && { secret: secret.trim() }) };
    default:
      return { kind, url: url.trim() };
  }
}
