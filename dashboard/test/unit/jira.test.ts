import { describe, expect, it } from 'vitest';
import type { JiraField } from '../../src/api/jira';
import { fieldFaults, textsOf, valuesOf } from '../../src/jira/values';
import { jiraDraftOf, jiraFaults, jiraFormOf, keepsToken } from '../../src/settings/jira-draft';
import { makeConnection } from '../server/jira';

const field = (id: string, kind: JiraField['kind'], detail: string | null = null): JiraField => ({
  id,
  name: id.toUpperCase(),
  kind,
  detail,
  options: [],
});
const FIELDS = [field('team', 'option'), field('parts', 'options'), field('cost', 'number'), field('labels', 'labels')];

describe('values of Jira’s fields', () => {
  it('are lists where Jira takes lists, and left out where nothing was given', () => {
    const texts = { team: '11', parts: '51\n52\n', cost: ' 7 ', labels: '', other: 'x' };
    expect(valuesOf(FIELDS, texts)).toEqual({ team: '11', parts: ['51', '52'], cost: '7' });
    expect(textsOf({ team: '11', parts: ['51', '52'], cost: 7 })).toEqual({ team: '11', parts: '51\n52', cost: '7' });
  });

  it('are asked for before Jira refuses them', () => {
    const unsupported = field('cascade', 'unsupported', 'give it a default in Jira');
    const faults = fieldFaults([...FIELDS, unsupported], { team: '11', parts: '51', cost: 'many', labels: ' ' });
    expect(faults).toEqual({
      cost: 'must be a number',
      labels: 'Jira requires it',
      cascade: 'give it a default in Jira',
    });
  });
});

describe('the form of the connection', () => {
  it('keeps the token only for the site and account for which it was given', () => {
    const known = makeConnection();
    const form = jiraFormOf(known);
    expect(keepsToken({ ...form, site: 'https://acme.atlassian.net/' }, known)).toBe(true);
    expect(jiraFaults(form, known)).toEqual({});
    for (const change of [
      { site: 'https://evil.example' },
      { email: 'eve@acme.example' },
      { kind: 'data_center' as const },
    ]) {
      expect(jiraFaults({ ...form, ...change }, known)['token']).toContain('must be given');
    }
    expect(Object.keys(jiraFaults(jiraFormOf(null), null))).toEqual(['site', 'email', 'token']);
  });

  it('sends no token that was not typed, and keeps values that it does not know', () => {
    const known = makeConnection();
    const draft = jiraDraftOf(jiraFormOf(known), known, undefined);
    expect(draft).toMatchObject({ version: 3, defaults: { fields: { customfield_1: '11' } } });
    expect('token' in draft).toBe(false);
    const moved = { ...jiraFormOf(known), place: { project: 'OPS', issueType: '2', texts: {} } };
    expect(jiraDraftOf(moved, known, undefined).defaults).toEqual({ project: 'OPS', issue_type: '2', fields: {} });
    const none = { ...jiraFormOf(known), place: { project: '', issueType: '', texts: {} } };
    expect(jiraDraftOf(none, known, []).defaults).toBeNull();
  });
});
