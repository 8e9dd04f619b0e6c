import { describe, expect, it } from 'vitest';
import { issueDraftOf, issuePatch, rebaseDraft } from '../../src/settings/issue-draft';
import { makeProject } from '../server/server';

const rule = (fingerprint: string) => ({ path: '', type: 'A', message: '', fingerprint });
const before = makeProject();
const after = makeProject({ settings: { ...before.settings, grouping_rules: [rule('theirs')] } });

describe('a draft of what decides about issues', () => {
  it('follows what others saved where it was not edited', () => {
    const draft = rebaseDraft(issueDraftOf(before), issueDraftOf(before), issueDraftOf(after));
    expect(draft).toEqual(issueDraftOf(after));
    expect(issuePatch(draft, after)).toEqual({});
  });

  it('keeps what was edited, and changes nothing else', () => {
    const edited = { ...issueDraftOf(before), filtersOff: ['bot'] as const };
    const draft = rebaseDraft(edited, issueDraftOf(before), issueDraftOf(after));
    expect(issuePatch(draft, after)).toEqual({ error_filters_off: ['bot'] });
    const ours = { ...issueDraftOf(before), rules: [rule('ours')] };
    expect(rebaseDraft(ours, issueDraftOf(before), issueDraftOf(after)).rules).toEqual([rule('ours')]);
  });
});
