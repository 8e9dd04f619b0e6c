import type {
  AlertCondition,
  AlertHours,
  AlertKind,
  AlertMeasure,
  AlertPriority,
  AlertRule,
  AlertRuleDraft,
} from '../api/alerts';
import { limitFaults, limitFormOf, limitOf, measuresOf, NEW_LIMIT, withMeasure } from './limit-draft';
import type { LimitField, LimitForm } from './limit-draft';
import { isWhole, read } from './typed';

/** A rule as the form holds it: numbers as they were typed. */
export interface RuleForm {
  name: string;
  disabled: boolean;
  kind: AlertKind;
  measure: AlertMeasure;
  atLeast: string;
  /** Empty: the same as {@link atLeast}. */
  resolveBelow: string;
  /** Of a rule that counts. */
  windowMinutes: number;
  /** Of a rule that waits for data. */
  silentMinutes: string;
  minimumSessions: string;
  /** Of a rule about an endpoint or a page. */
  limit: LimitForm;
  filter: string;
  /** Empty: any. */
  priority: AlertPriority | '';
  throttleMinutes: string;
  channels: readonly string[];
  mutedUntil: number | null;
  /** Null: always. */
  hours: AlertHours | null;
  /** Nobody: no escalation. */
  escalationChannels: readonly string[];
  escalateMinutes: string;
}

export type RuleField =
  | LimitField
  | 'name'
  | 'atLeast'
  | 'resolveBelow'
  | 'silentMinutes'
  | 'minimumSessions'
  | 'throttleMinutes'
  | 'hours'
  | 'escalateMinutes';

/** Whether a rule is judged for each issue, and not for the whole project. */
export const isOfIssues = (kind: AlertKind): boolean => kind !== 'silent' && !isOfLimit(kind);
export const isOfLimit = (kind: AlertKind): boolean => kind === 'endpoint' || kind === 'page';

/** The form for another kind: endpoints and pages are measured by other things. */
export function withKind(form: RuleForm, kind: AlertKind): Partial<RuleForm> {
  const measures = measuresOf(kind);
  const [first] = measures;
  const fits = !isOfLimit(kind) || !first || measures.some(({ key }) => key === form.limit.measure);
  return fits ? { kind } : { kind, limit: withMeasure(form.limit, first.key) };
}

export const NEW_RULE: RuleForm = {
  name: '',
  disabled: false,
  kind: 'seen',
  measure: 'users',
  atLeast: '20',
  resolveBelow: '',
  windowMinutes: 15,
  silentMinutes: '30',
  minimumSessions: '20',
  limit: NEW_LIMIT,
  filter: '',
  priority: '',
  throttleMinutes: '60',
  channels: [],
  mutedUntil: null,
  hours: null,
  escalationChannels: [],
  escalateMinutes: '15',
};

/** What hours begin with when somebody turns them on: office hours where they are. */
export const officeHours = (): AlertHours => ({
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
  from: '09:00',
  to: '18:00',
});

const shown = (value: number | null, otherwise: string) => (value === null ? otherwise : String(value));

export function formOf(rule: AlertRule): RuleForm {
  const { condition } = rule;
  const isSilent = condition.kind === 'silent';
  return {
    name: rule.name,
    disabled: rule.disabled,
    kind: condition.kind,
    measure: condition.measure ?? NEW_RULE.measure,
    atLeast: shown(condition.at_least, NEW_RULE.atLeast),
    resolveBelow: condition.resolve_below === condition.at_least ? '' : shown(condition.resolve_below, ''),
    windowMinutes: (isSilent ? null : condition.window_minutes) ?? NEW_RULE.windowMinutes,
    silentMinutes: shown(isSilent ? condition.window_minutes : null, NEW_RULE.silentMinutes),
    minimumSessions: shown(condition.minimum_sessions, NEW_RULE.minimumSessions),
    limit: limitFormOf(condition.limit),
    filter: rule.filter,
    priority: rule.priority ?? '',
    throttleMinutes: String(rule.throttle_minutes),
    channels: rule.channels,
    mutedUntil: rule.muted_until_ms,
    hours: rule.hours,
    escalationChannels: rule.escalation?.channels ?? [],
    escalateMinutes: shown(rule.escalation?.after_minutes ?? null, NEW_RULE.escalateMinutes),
  };
}

const NAME_MAX = 100;

const SILENT_LEAST = 5;
const MINUTES_MAX = 10_080;
const ESCALATE_LEAST = 5;
const DAY_MINUTES = 1440;
const isTime = (text: string) => /^\d\d:\d\d$/.test(text);

/** Which fields cannot be read, and why. The server checks again. */
export function faultsOf(form: RuleForm): Partial<Record<RuleField, string>> {
  const faults: Partial<Record<RuleField, string>> = {};
  if (form.name.trim() === '' || form.name.trim().length > NAME_MAX) {
    faults.name = `must be 1 to ${String(NAME_MAX)} characters`;
  }
  if (!isWhole(read(form.throttleMinutes), 0, MINUTES_MAX)) faults.throttleMinutes = 'must be 0 to 10,080';
  if (form.hours?.days.length === 0) faults.hours = 'choose at least one day';
  if (form.hours && !(isTime(form.hours.from) && isTime(form.hours.to))) faults.hours = 'needs two times of day';
  if (form.escalationChannels.length > 0 && !isWhole(read(form.escalateMinutes), ESCALATE_LEAST, DAY_MINUTES)) {
    faults.escalateMinutes = 'must be a whole number from 5 to 1,440';
  }
  if (form.kind === 'silent' && !isWhole(read(form.silentMinutes), SILENT_LEAST, MINUTES_MAX)) {
    faults.silentMinutes = 'must be a whole number from 5 to 10,080';
  }
  if (form.kind === 'seen') Object.assign(faults, countFaults(form));
  if (isOfLimit(form.kind)) Object.assign(faults, limitFaults(form.limit));
  return faults;
}

function countFaults({ measure, atLeast, resolveBelow, minimumSessions }: RuleForm) {
  const faults: Partial<Record<RuleField, string>> = {};
  const isShare = measure === 'share';
  const least = read(atLeast);
  const fits = least >= (isShare ? 0.01 : 1) && least <= (isShare ? 100 : 1e9);
  if (!fits) faults.atLeast = isShare ? 'must be 0.01 to 100' : 'must be at least 1';
  if (resolveBelow.trim() !== '' && !(read(resolveBelow) > 0 && read(resolveBelow) <= least)) {
    faults.resolveBelow = 'must be over 0 and not over what it triggers from';
  }
  if (isShare && !isWhole(read(minimumSessions), 1, Number.MAX_SAFE_INTEGER)) {
    faults.minimumSessions = 'must be a whole number, at least 1';
  }
  return faults;
}

const NO_COUNTS = {
  measure: null,
  at_least: null,
  resolve_below: null,
  window_minutes: null,
  minimum_sessions: null,
  limit: null,
};

export function conditionOf(form: RuleForm): AlertCondition {
  if (form.kind === 'silent') return { ...NO_COUNTS, kind: 'silent', window_minutes: read(form.silentMinutes) };
  if (isOfLimit(form.kind)) {
    return { ...NO_COUNTS, kind: form.kind, window_minutes: form.windowMinutes, limit: limitOf(form.limit) };
  }
  if (form.kind !== 'seen') return { ...NO_COUNTS, kind: form.kind };
  const least = read(form.atLeast);
  const below = read(form.resolveBelow);
  return {
    ...NO_COUNTS,
    kind: 'seen',
    measure: form.measure,
    at_least: least,
    // The same is the default, and saying it would be a change of what the rule asks.
    resolve_below: Number.isNaN(below) || below === least ? null : below,
    window_minutes: form.windowMinutes,
    minimum_sessions: form.measure === 'share' ? read(form.minimumSessions) : null,
  };
}

/** What the API takes. Only for a form without faults. */
export function draftOf(form: RuleForm, version: number | null): AlertRuleDraft {
  // A whole project has no issue to filter.
  const hasIssues = isOfIssues(form.kind);
  return {
    name: form.name.trim(),
    disabled: form.disabled,
    condition: conditionOf(form),
    filter: hasIssues ? form.filter.trim() : '',
    priority: hasIssues && form.priority !== '' ? form.priority : null,
    throttle_minutes: read(form.throttleMinutes),
    channels: [...form.channels],
    muted_until_ms: form.mutedUntil,
    hours: form.hours,
    escalation:
      form.escalationChannels.length === 0
        ? null
        : { after_minutes: read(form.escalateMinutes), channels: [...form.escalationChannels] },
    version,
  };
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
export const isSameForm = (one: RuleForm, other: RuleForm): boolean => same(one, other);

/** Whether saving ends what the rule fired: it asks something else, or is turned on again. */
export function endsFirings(form: RuleForm, rule: AlertRule): boolean {
  const [before, after] = [draftOf(formOf(rule), null), draftOf(form, null)];
  const asks = ({ condition, filter, priority }: AlertRuleDraft) => [condition, filter, priority];
  return !same(asks(before), asks(after)) || (rule.disabled && !form.disabled);
}
