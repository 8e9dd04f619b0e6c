import type { GroupingRule, Project, ProjectPatch } from '../api/model';
import { lines } from './draft';

export type ErrorFilter = 'browser_extension' | 'bot' | 'localhost';
export type FailedRequests = Project['settings']['failed_requests'];

export interface IssueDraft {
  failed_requests: FailedRequests;
  filtersOff: readonly string[];
  rules: readonly Required<GroupingRule>[];
  /** One pattern a line. */
  criticalPages: string;
}

export const RULES_MAX = 50;
export const EMPTY_RULE: Required<GroupingRule> = { path: '', type: '', message: '', fingerprint: '' };

export function issueDraftOf({ settings }: Project): IssueDraft {
  return {
    failed_requests: settings.failed_requests,
    filtersOff: settings.error_filters_off,
    rules: settings.grouping_rules,
    criticalPages: settings.critical_pages.join('\n'),
  };
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

export const isSameDraft = (one: IssueDraft, other: IssueDraft): boolean => same(one, other);

/** The draft on settings that became others meanwhile: what was not edited follows them. */
export function rebaseDraft(draft: IssueDraft, before: IssueDraft, now: IssueDraft): IssueDraft {
  const follow = <Key extends keyof IssueDraft>(key: Key) => (same(draft[key], before[key]) ? now[key] : draft[key]);
  return {
    failed_requests: follow('failed_requests'),
    filtersOff: follow('filtersOff'),
    rules: follow('rules'),
    criticalPages: follow('criticalPages'),
  };
}

/** What the draft changes of the project. */
export function issuePatch(draft: IssueDraft, project: Project): ProjectPatch {
  const now = issueDraftOf(project);
  return {
    ...(draft.failed_requests !== now.failed_requests && { failed_requests: draft.failed_requests }),
    ...(!same([...draft.filtersOff].sort(), [...now.filtersOff].sort()) && {
      error_filters_off: [...draft.filtersOff],
    }),
    ...(draft.criticalPages !== now.criticalPages && { critical_pages: lines(draft.criticalPages) }),
    ...(!same(draft.rules, now.rules) && { grouping_rules: [...draft.rules] }),
  };
}
