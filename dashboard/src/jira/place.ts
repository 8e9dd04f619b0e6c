import type { FieldTexts } from './values';

/** Where a Jira issue is created, and with what. */
export interface Place {
  /** Key of the Jira project; empty: not chosen. */
  project: string;
  /** Id of the type. */
  issueType: string;
  texts: FieldTexts;
}

export const NO_PLACE: Place = { project: '', issueType: '', texts: {} };
