import type { AlertKind, AlertLimit, LimitMeasure } from '../api/alerts';
import { isWhole, read } from './typed';

/** What is measured of an endpoint or a page, as the form holds it: numbers as they were typed. */
export interface LimitForm {
  measure: LimitMeasure;
  /** Empty: all together. */
  name: string;
  triggerAt: string;
  /** Empty: the same as {@link triggerAt}. */
  resolveAt: string;
  below: boolean;
  lastWeek: boolean;
  minimum: string;
  apdexMs: string;
  /** Empty: any. */
  environment: string;
  release: string;
}

export type LimitField = 'triggerAt' | 'resolveAt' | 'minimum' | 'apdexMs';

export const NEW_LIMIT: LimitForm = {
  measure: 'error_share',
  name: '',
  triggerAt: '10',
  resolveAt: '5',
  below: false,
  lastWeek: false,
  minimum: '100',
  apdexMs: '500',
  environment: '',
  release: '',
};

interface MeasureWords {
  key: LimitMeasure;
  label: string;
  unit: string;
  about: string;
  /** What one may begin with. */
  triggerAt: string;
  resolveAt: string;
  /** Least and most that can be asked for. */
  range: readonly [number, number];
}

const ENDPOINT_MEASURES: readonly MeasureWords[] = [
  {
    key: 'error_share',
    label: 'Error share',
    unit: '%',
    about: 'Requests that failed, of those that the page did not give up.',
    triggerAt: '10',
    resolveAt: '5',
    range: [0.01, 100],
  },
  {
    key: 'p95',
    label: 'p95',
    unit: 'ms',
    about: 'So long, or less, did 95 of 100 requests take.',
    triggerAt: '2000',
    resolveAt: '1500',
    range: [1, 3_600_000],
  },
  {
    key: 'p99',
    label: 'p99',
    unit: 'ms',
    about: 'So long, or less, did 99 of 100 requests take.',
    triggerAt: '5000',
    resolveAt: '4000',
    range: [1, 3_600_000],
  },
  {
    key: 'throughput',
    label: 'Throughput',
    unit: 'a minute',
    about: 'Requests a minute, on average.',
    triggerAt: '600',
    resolveAt: '',
    range: [0, 1e9],
  },
  {
    key: 'apdex',
    label: 'Apdex',
    unit: '',
    about: '0 to 1: satisfied requests count whole, those up to four times as long half, failed ones not at all.',
    triggerAt: '0.7',
    resolveAt: '0.8',
    range: [0, 0.99],
  },
];

const VITAL_RANGE: readonly [number, number] = [1, 3_600_000];
const PAGE_MEASURES: readonly MeasureWords[] = [
  {
    key: 'lcp',
    label: 'LCP (p75)',
    unit: 'ms',
    about: 'Until the largest thing was painted. Good up to 2,500 ms, poor over 4,000 ms.',
    triggerAt: '4000',
    resolveAt: '2500',
    range: VITAL_RANGE,
  },
  {
    key: 'inp',
    label: 'INP (p75)',
    unit: 'ms',
    about: 'Until the page showed that it was touched. Good up to 200 ms, poor over 500 ms.',
    triggerAt: '500',
    resolveAt: '200',
    range: VITAL_RANGE,
  },
  {
    key: 'cls',
    label: 'CLS (p75)',
    unit: '',
    about: 'How much the page jumped about. Good up to 0.1, poor over 0.25.',
    triggerAt: '0.25',
    resolveAt: '0.1',
    range: [0.001, 100],
  },
];

export const measuresOf = (kind: AlertKind): readonly MeasureWords[] =>
  kind === 'page' ? PAGE_MEASURES : ENDPOINT_MEASURES;

export function measureWords(measure: LimitMeasure): MeasureWords {
  const found = [...ENDPOINT_MEASURES, ...PAGE_MEASURES].find(({ key }) => key === measure);
  if (!found) throw new Error(`no measure ${measure}`);
  return found;
}

/** Whether less is what is wrong. */
export const isLack = ({ measure, below }: Pick<AlertLimit, 'measure' | 'below'>): boolean =>
  measure === 'apdex' || (measure === 'throughput' && below);

/** In what limits against last week are given: a share that was zero has no ratio. */
export function changeUnit(measure: LimitMeasure): string {
  if (measure === 'error_share') return 'points';
  return measure === 'apdex' ? 'hundredths' : '%';
}

const isVital = (measure: LimitMeasure) => PAGE_MEASURES.some(({ key }) => key === measure);

/** The form for another measure: limits of one say nothing of another. */
export function withMeasure(form: LimitForm, measure: LimitMeasure): LimitForm {
  const { triggerAt, resolveAt } = measureWords(measure);
  const changes = { triggerAt: '50', resolveAt: '20' };
  const name = isVital(measure) === isVital(form.measure) ? form.name : '';
  return { ...form, measure, name, below: false, ...(form.lastWeek ? changes : { triggerAt, resolveAt }) };
}

/** The form for limits that are, or are not, changes against last week. */
export function withLastWeek(form: LimitForm, lastWeek: boolean): LimitForm {
  return withMeasure({ ...form, lastWeek }, form.measure);
}

export function limitFormOf(limit: AlertLimit | null): LimitForm {
  if (limit === null) return NEW_LIMIT;
  return {
    measure: limit.measure,
    name: limit.name ?? '',
    triggerAt: String(limit.trigger_at),
    resolveAt: limit.resolve_at === null || limit.resolve_at === limit.trigger_at ? '' : String(limit.resolve_at),
    below: limit.below,
    lastWeek: limit.last_week,
    minimum: String(limit.minimum ?? NEW_LIMIT.minimum),
    apdexMs: String(limit.apdex_ms ?? NEW_LIMIT.apdexMs),
    environment: limit.environment ?? '',
    release: limit.release ?? '',
  };
}

/** Which fields cannot be read, and why. The server checks again. */
export function limitFaults(form: LimitForm): Partial<Record<LimitField, string>> {
  const faults: Partial<Record<LimitField, string>> = {};
  const [least, most] = form.lastWeek ? [1, isLack(form) ? 100 : 100_000] : measureWords(form.measure).range;
  const trigger = read(form.triggerAt);
  if (!(trigger >= least && trigger <= most)) {
    faults.triggerAt = `must be ${String(least)} to ${most.toLocaleString('en-US')}`;
  }
  const resolve = read(form.resolveAt);
  const isLower = form.lastWeek || !isLack(form);
  const fits = isLower ? resolve > 0 && resolve <= trigger : resolve >= trigger;
  if (form.resolveAt.trim() !== '' && !fits) {
    faults.resolveAt = isLower
      ? 'must be over 0 and not over where it triggers'
      : 'must not be under where it triggers';
  }
  if (!isWhole(read(form.minimum), 1, Number.MAX_SAFE_INTEGER)) {
    faults.minimum = 'must be a whole number, at least 1';
  }
  if (form.measure === 'apdex' && !isWhole(read(form.apdexMs), 1, 3_600_000)) {
    faults.apdexMs = 'must be a whole number of milliseconds';
  }
  return faults;
}

/** What the API takes. Only for a form without faults. */
export function limitOf(form: LimitForm): AlertLimit {
  const some = (text: string) => (text.trim() === '' ? null : text.trim());
  const trigger = read(form.triggerAt);
  const resolve = read(form.resolveAt);
  return {
    measure: form.measure,
    name: some(form.name),
    trigger_at: trigger,
    resolve_at: Number.isNaN(resolve) ? trigger : resolve,
    below: form.measure === 'throughput' && form.below,
    last_week: form.lastWeek,
    minimum: read(form.minimum),
    apdex_ms: form.measure === 'apdex' ? read(form.apdexMs) : null,
    environment: some(form.environment),
    release: some(form.release),
  };
}

const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 3 });

/** `error share of POST /api/pay is at least 10 %`. */
export function limitInWords(limit: AlertLimit): string {
  const { label, unit } = measureWords(limit.measure);
  const all = isVital(limit.measure) ? 'all pages' : 'all endpoints';
  const parts = [`${label === 'Error share' ? 'the error share' : label} of ${limit.name ?? all}`];
  if (limit.environment !== null) parts.push(`in ${limit.environment}`);
  if (limit.release !== null) parts.push(`of release ${limit.release}`);
  if (limit.last_week) {
    const way = isLack(limit) ? 'lower' : 'higher';
    parts.push(`is ${number(limit.trigger_at)} ${changeUnit(limit.measure)} ${way} than a week before`);
  } else {
    const way = isLack(limit) ? 'at most' : 'at least';
    parts.push(`is ${way} ${number(limit.trigger_at)}${unit === '' ? '' : ` ${unit}`}`);
  }
  return parts.join(' ');
}
