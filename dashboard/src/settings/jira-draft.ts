import type { JiraConnection, JiraDraft, JiraField, JiraKind } from '../api/jira';
import { NO_PLACE, type Place } from '../jira/place';
import { textsOf, valuesOf } from '../jira/values';

/** The connection as the form holds it. A token that is kept is never read back: its field begins empty. */
export interface JiraForm {
  kind: JiraKind;
  site: string;
  email: string;
  token: string;
  syncState: boolean;
  syncAssignee: boolean;
  comments: boolean;
  place: Place;
}

export function jiraFormOf(connection: JiraConnection | null): JiraForm {
  const defaults = connection?.defaults;
  return {
    kind: connection?.kind ?? 'cloud',
    site: connection?.site ?? '',
    email: connection?.email ?? '',
    token: '',
    syncState: connection?.sync_state ?? true,
    syncAssignee: connection?.sync_assignee ?? true,
    comments: connection?.comments ?? true,
    place: defaults
      ? { project: defaults.project, issueType: defaults.issue_type, texts: textsOf(defaults.fields) }
      : NO_PLACE,
  };
}

/** Whether the kept token goes with what is in the form. */
export const keepsToken = (form: JiraForm, known: JiraConnection | null): boolean =>
  known !== null &&
  form.kind === known.kind &&
  form.site.trim().replace(/\/+$/, '') === known.site &&
  (form.kind === 'data_center' || form.email.trim() === known.email);

export function jiraFaults(form: JiraForm, known: JiraConnection | null): Partial<Record<string, string>> {
  const faults: Partial<Record<string, string>> = {};
  if (form.site.trim() === '') faults['site'] = 'must be given';
  if (form.kind === 'cloud' && form.email.trim() === '') faults['email'] = 'must be given';
  if (form.token.trim() === '' && !keepsToken(form, known)) {
    faults['token'] = known ? 'must be given: another site or account needs its own' : 'must be given';
  }
  if (form.place.project !== '' && form.place.issueType === '') faults['issue_type'] = 'must be chosen';
  return faults;
}

/** What the API takes. Fields that are not known (yet) keep the values that there are. */
export function jiraDraftOf(
  form: JiraForm,
  known: JiraConnection | null,
  fields: readonly JiraField[] | undefined,
): JiraDraft {
  const { place } = form;
  const isSamePlace = known?.defaults?.project === place.project && known.defaults.issue_type === place.issueType;
  const kept = isSamePlace ? (known.defaults?.fields ?? {}) : {};
  return {
    site: form.site.trim(),
    kind: form.kind,
    ...(form.kind === 'cloud' && { email: form.email.trim() }),
    ...(form.token.trim() !== '' && { token: form.token.trim() }),
    sync_state: form.syncState,
    sync_assignee: form.syncAssignee,
    comments: form.comments,
    defaults:
      place.project === '' || place.issueType === ''
        ? null
        : {
            project: place.project,
            issue_type: place.issueType,
            fields: fields ? valuesOf(fields, place.texts) : kept,
          },
    ...(known && { version: known.version }),
  };
}
