import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { generateSchema } from '../../scripts/generate-api.mjs';
import { Problem } from '../../src/api/problem';
import { draftOf, readDraft } from '../../src/settings/draft';
import { findCommands, readSessionReference } from '../../src/shell/commands';
import { safeNext } from '../../src/sign-in/next';
import { makeProject } from '../server/server';

const ID = '0123456789abcdef0123456789abcdef';

describe('the generated client', () => {
  it('is as fresh as openapi.json; otherwise run npm run generate', async () => {
    const committed = await readFile(new URL('../../src/api/schema.ts', import.meta.url), 'utf8');
    expect(committed).toBe(await generateSchema());
  });
});

describe('problems', () => {
  it('read problem+json', () => {
    const problem = Problem.fromBody(400, {
      type: 'urn:playhead:problem:bad-request',
      title: 'Bad request',
      detail: 'must be 1 to 365',
      field: 'retention_days',
    });
    expect(problem).toMatchObject({ code: 'bad-request', status: 400, field: 'retention_days' });
    expect(problem.message).toBe('must be 1 to 365');
    expect(problem.isRetryable).toBe(false);
  });

  it('stand for anything else', () => {
    expect(Problem.fromBody(502, '<html>')).toMatchObject({ code: 'status-502', field: null, isRetryable: true });
    expect(Problem.unreachable(new TypeError('failed')).isRetryable).toBe(true);
  });
});

describe('where signing in leads', () => {
  it.each([
    [undefined, '/'],
    ['/p/abc/sessions?errors=true', '/p/abc/sessions?errors=true'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/sign-in?token=x', '/'],
  ])('%s leads to %s', (next, path) => {
    expect(safeNext(next)).toBe(path);
  });
});

describe('the palette', () => {
  it('reads ids and links to sessions', () => {
    expect(readSessionReference(ID, 'here')).toEqual({ project: 'here', session: ID, at_ms: null });
    expect(readSessionReference(`http://127.0.0.1:7700/p/abc123/sessions/${ID}?t=1500&pane=errors`, 'here')).toEqual({
      project: 'abc123',
      session: ID,
      at_ms: 1500,
    });
    expect(readSessionReference('checkout', 'here')).toBeNull();
    expect(readSessionReference(`${ID}0`, 'here')).toBeNull();
  });

  it('finds commands by every word', () => {
    const command = (label: string) => ({ id: label, icon: 'play' as const, label, run: () => undefined });
    const commands = [command('Sessions'), command('Sessions with errors'), command('Settings')];
    expect(findCommands(commands, 'err sess').map(({ label }) => label)).toEqual(['Sessions with errors']);
    expect(findCommands(commands, '')).toHaveLength(3);
  });
});

describe('the settings draft', () => {
  const project = makeProject();

  it('changes nothing until something is typed', () => {
    expect(readDraft(draftOf(project), project)).toEqual({ patch: {}, faults: {} });
  });

  it('sends only what differs, in the units of the API', () => {
    const draft = {
      ...draftOf(project),
      sample_rate: '12,5',
      allowed_origins: ' https://a.example \n\n',
      store_ip: true,
    };
    expect(readDraft(draft, project)).toEqual({
      patch: { sample_rate: 0.125, allowed_origins: ['https://a.example'], store_ip: true },
      faults: {},
    });
  });

  it.each([
    ['sample_rate', '101'],
    ['signal_sample_rate', 'all'],
    ['retention_days', '0'],
    ['retention_days', '1.5'],
    ['slow_request_ms', ''],
    ['name', '  '],
  ] as const)('refuses %s = %j', (field, value) => {
    const { patch, faults } = readDraft({ ...draftOf(project), [field]: value }, project);
    expect(patch).toEqual({});
    expect(Object.keys(faults)).toEqual([field]);
  });
});
