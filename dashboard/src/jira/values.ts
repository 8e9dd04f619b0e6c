/** Values of Jira's fields, as forms hold them and as the API takes them. */
import type { JiraField, JiraFieldKind, JiraValue, JiraValues } from '../api/jira';

/** As a form holds it: lists are lines. */
export type FieldTexts = Record<string, string>;

const LISTS: readonly JiraFieldKind[] = ['options', 'users', 'labels'];

export const isList = (kind: JiraFieldKind): boolean => LISTS.includes(kind);

export const textsOf = (values: JiraValues): FieldTexts =>
  Object.fromEntries(
    Object.entries(values).map(([id, value]) => [id, Array.isArray(value) ? value.join('\n') : String(value)]),
  );

const itemsOf = (text: string): string[] =>
  text
    .split('\n')
    .map((item) => item.trim())
    .filter(Boolean);

/** What the API takes of the fields that are asked for; those left empty are left out. */
export function valuesOf(fields: readonly JiraField[], texts: FieldTexts): JiraValues {
  const values = fields.flatMap(({ id, kind }): [string, JiraValue][] => {
    const text = (texts[id] ?? '').trim();
    if (text === '') return [];
    return [[id, isList(kind) ? itemsOf(text) : text]];
  });
  return Object.fromEntries(values);
}

/** What is wrong before Jira is asked, by field. */
export function fieldFaults(fields: readonly JiraField[], texts: FieldTexts): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const { id, kind, detail } of fields) {
    const text = (texts[id] ?? '').trim();
    if (kind === 'unsupported') faults[id] = detail ?? 'cannot be filled in from here';
    else if (text === '') faults[id] = 'Jira requires it';
    else if (kind === 'number' && !Number.isFinite(Number(text))) faults[id] = 'must be a number';
  }
  return faults;
}
