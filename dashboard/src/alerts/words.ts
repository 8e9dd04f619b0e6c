/** What rules, channels and deliveries are called. */
import type {
  AlertCondition,
  AlertDay,
  AlertHours,
  AlertKind,
  AlertMeasure,
  AlertRule,
  ChannelKind,
  FiringStatus,
} from '../api/alerts';
import type { Tone } from '../ui';
import { limitInWords } from './limit-draft';

export const KINDS: readonly { key: AlertKind; label: string; about: string }[] = [
  { key: 'new_issue', label: 'A new issue', about: 'It is seen for the first time.' },
  { key: 'regressed', label: 'A regressed issue', about: 'It was resolved and happens again.' },
  { key: 'escalating', label: 'An escalating issue', about: 'It happens more than its own history lets one expect.' },
  { key: 'seen', label: 'An issue that is seen often', about: 'By so many, so often, within a time.' },
  {
    key: 'endpoint',
    label: 'A slow or failing endpoint',
    about: 'Error share, p95, p99, throughput or Apdex of one, or of all together.',
  },
  { key: 'page', label: 'A slow page', about: 'LCP, INP or CLS of one, or of all together.' },
  {
    key: 'silent',
    label: 'No data at all',
    about: 'The project receives nothing: pages are down, or recorders fell silent.',
  },
];

export const MEASURES: readonly { key: AlertMeasure; label: string }[] = [
  { key: 'events', label: 'events' },
  { key: 'sessions', label: 'sessions' },
  { key: 'users', label: 'users' },
  { key: 'share', label: '% of sessions' },
];

export const DAYS: readonly { key: AlertDay; label: string; short: string }[] = [
  { key: 'monday', label: 'Monday', short: 'Mon' },
  { key: 'tuesday', label: 'Tuesday', short: 'Tue' },
  { key: 'wednesday', label: 'Wednesday', short: 'Wed' },
  { key: 'thursday', label: 'Thursday', short: 'Thu' },
  { key: 'friday', label: 'Friday', short: 'Fri' },
  { key: 'saturday', label: 'Saturday', short: 'Sat' },
  { key: 'sunday', label: 'Sunday', short: 'Sun' },
];

/** `Mon–Fri 09:00–18:00`, `Mon, Wed 22:00–06:00`, `every day 08:00–20:00`. */
export function hoursInWords({ days, from, to }: AlertHours): string {
  const at = DAYS.flatMap(({ key }, index) => (days.includes(key) ? [index] : []));
  const short = (index: number | undefined) => DAYS[index ?? 0]?.short ?? '';
  const isRun = at.length > 2 && (at.at(-1) ?? 0) - (at[0] ?? 0) === at.length - 1;
  const named = isRun ? `${short(at[0])}–${short(at.at(-1))}` : at.map(short).join(', ');
  return `${at.length === DAYS.length ? 'every day' : named} ${from}–${to}`;
}

/** The windows over which the API counts, in minutes. */
export const WINDOWS = [5, 10, 15, 30, 60, 180, 360, 720, 1440] as const;

/** `15 minutes`, `an hour`, `3 hours`, `2 hours 5 minutes`. */
export function spanInWords(minutes: number): string {
  if (minutes === 1440) return 'a day';
  if (minutes > 0 && minutes % 1440 === 0) return `${String(minutes / 1440)} days`;
  if (minutes === 60) return 'an hour';
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const parts = [
    hours > 0 ? `${String(hours)} ${hours === 1 ? 'hour' : 'hours'}` : '',
    rest > 0 || hours === 0 ? `${String(rest)} ${rest === 1 ? 'minute' : 'minutes'}` : '',
  ];
  return parts.filter(Boolean).join(' ');
}

const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 2 });

/** `20 users`, `1 session`, `5 % of sessions`. */
function amountInWords(amount: number, measure: AlertMeasure): string {
  if (measure === 'share') return `${number(amount)} % of sessions`;
  return `${number(amount)} ${amount === 1 ? measure.slice(0, -1) : measure}`;
}

/** `an issue has at least 20 users within 15 minutes`. */
export function conditionInWords({ kind, measure, at_least, window_minutes, limit }: AlertCondition): string {
  const span = spanInWords(window_minutes ?? 0);
  switch (kind) {
    case 'new_issue':
      return 'an issue is seen for the first time';
    case 'regressed':
      return 'a resolved issue happens again';
    case 'escalating':
      return 'an issue happens more than expected';
    case 'silent':
      return `nothing is received for ${span}`;
    case 'endpoint':
    case 'page':
      return limit ? `${limitInWords(limit)} within ${span}` : 'something is measured';
    case 'seen':
      return `an issue has at least ${amountInWords(at_least ?? 0, measure ?? 'events')} within ${span}`;
  }
}

/** The whole rule, as a sentence without its end: `an issue …, of high priority, that matches type:TypeError`. */
export function ruleInWords({
  condition,
  filter,
  priority,
}: Pick<AlertRule, 'condition' | 'filter' | 'priority'>): string {
  const parts = [conditionInWords(condition)];
  if (priority === 'high') parts.push('of high priority');
  if (priority === 'medium') parts.push('of medium or high priority');
  if (filter !== '') parts.push(`that matches ${filter}`);
  return parts.join(', ');
}

export const CHANNEL_KINDS: readonly { key: ChannelKind; label: string }[] = [
  { key: 'slack', label: 'Slack' },
  { key: 'teams', label: 'Microsoft Teams' },
  { key: 'discord', label: 'Discord' },
  { key: 'pagerduty', label: 'PagerDuty' },
  { key: 'email', label: 'E-mail' },
  { key: 'webhook', label: 'Web hook' },
  { key: 'jira', label: 'Jira' },
];
export const channelKindName = (kind: ChannelKind): string =>
  CHANNEL_KINDS.find(({ key }) => key === kind)?.label ?? kind;

export const STATUSES: Record<FiringStatus, { tone: Tone; meaning: string }> = {
  open: { tone: 'error', meaning: 'Its condition is met, and nobody has taken it on.' },
  acknowledged: { tone: 'warn', meaning: 'Its condition is met, and somebody has taken it on.' },
  resolved: { tone: 'ok', meaning: 'It is over.' },
};

const OUTCOMES: Record<string, { tone: Tone; label: string; meaning: string }> = {
  sent: { tone: 'ok', label: 'told', meaning: 'The channel took the message' },
  failed: { tone: 'warn', label: 'trying again', meaning: 'It failed for now and is tried again for a day' },
  gave_up: { tone: 'error', label: 'given up', meaning: 'It was refused for good, or failed for a day' },
  not_sent: { tone: 'neutral', label: 'not sent', meaning: 'When it was due, nobody needed it any more' },
  held: { tone: 'neutral', label: 'held', meaning: 'Too many within this hour: told in one message at its end' },
};
export const outcomeOf = (name: string) => OUTCOMES[name] ?? { tone: 'neutral' as const, label: name, meaning: name };

export const TRANSITIONS: Record<string, string> = {
  triggered: 'that it fires',
  escalated: 'that nobody took it on',
  acknowledged: 'that somebody took it on',
  resolved: 'that it is over',
};
