import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { close, expectAccessible, launch, openPage, overflow, photograph, type WatchedPage } from '../server/browser';
import { issueId, makeIssue } from '../server/issues';
import { makeConnection, makeJiraIssue } from '../server/jira';
import { makeWorld, startServer, type TestServer } from '../server/server';

let browser: Browser;
let server: TestServer;
const ISSUE = `/p/0123456789abc/issues/${issueId(0)}`;
const SETTINGS = '/p/0123456789abc/settings';
const LOOKS = [
  [1440, 'light'],
  [1440, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  server.world = makeWorld();
  server.world.issues = [makeIssue(0)];
});

async function open(path: string, width = 1440, scheme: 'light' | 'dark' = 'light'): Promise<WatchedPage> {
  const watched = await openPage(browser, { width, scheme });
  await watched.page.goto(server.url + path);
  await watched.page.locator('#jira').waitFor();
  return watched;
}

describe('Jira in the settings', () => {
  it.each(LOOKS)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    server.world.jira.connection = makeConnection({
      fault: 'Jira does not take the credentials (401): they are wrong or have expired; set new ones in the settings',
      fault_at: Date.now() - 60_000,
    });
    const watched = await open(SETTINGS, width, scheme);
    const panel = watched.page.locator('#jira');
    await panel.getByLabel('Found on').waitFor();
    await panel.scrollIntoViewIfNeeded();
    await expectAccessible(watched.page);
    await photograph(watched.page, `jira-settings-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    // Its parts are below each other, and none is cut off.
    const columns = await panel.evaluate((element) => getComputedStyle(element).gridTemplateColumns.split(' ').length);
    expect(columns).toBe(1);
    const beyond = await panel
      .locator('*')
      .evaluateAll((parts) => parts.filter((part) => part.getBoundingClientRect().right > window.innerWidth).length);
    expect(beyond).toBe(0);
    await close(watched);
  });

  it('connects, shows the web hook once, and tests the connection', async () => {
    const watched = await open(SETTINGS);
    const { page } = watched;
    const panel = page.locator('#jira');
    await panel.getByRole('button', { name: 'Connect Jira' }).click();
    await panel.getByText('must be given').first().waitFor();
    await panel.getByLabel('Site').fill('https://acme.atlassian.net');
    await panel.getByLabel('E-mail address of the account').fill('playhead@acme.example');
    await panel.getByLabel('API token').fill('t0k3n');
    await panel.getByRole('button', { name: 'Connect Jira' }).click();
    await page.getByRole('heading', { name: 'Tell Jira where to call' }).waitFor();
    await expectAccessible(page);
    await photograph(page, 'jira-hook');
    await page.getByRole('button', { name: 'Done' }).click();
    expect(server.world.jira.drafts).toEqual([
      {
        site: 'https://acme.atlassian.net',
        kind: 'cloud',
        email: 'playhead@acme.example',
        token: 't0k3n',
        sync_state: true,
        sync_assignee: true,
        comments: true,
        defaults: null,
      },
    ]);
    expect(await page.content()).not.toContain('t0k3n');
    await panel.getByRole('button', { name: 'Test connection' }).click();
    await panel.getByText('Jira knows us as Playhead bot').waitFor();
    await panel.getByLabel('Jira project').selectOption('SHOP');
    await panel.getByLabel('Type').selectOption({ label: 'Bug' });
    await panel.getByLabel('Team').selectOption({ label: 'Search' });
    await panel.getByLabel('Owner', { exact: true }).selectOption({ label: 'Bo Li' });
    await panel.getByLabel('Found on').fill('2026-01-31');
    await panel.getByRole('button', { name: 'Save connection' }).click();
    await page.getByText('The connection is saved').first().waitFor();
    expect(server.world.jira.drafts[1]).toMatchObject({
      version: 1,
      defaults: {
        project: 'SHOP',
        issue_type: '1',
        fields: { customfield_1: '12', customfield_2: '2026-01-31', customfield_3: 'acc-bo' },
      },
    });
    await panel.getByRole('button', { name: 'Disconnect…' }).click();
    await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
    await panel.getByRole('button', { name: 'Connect Jira' }).waitFor();
    await close(watched);
  });
});

describe('Jira on an issue’s page', () => {
  it.each(LOOKS)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    server.world.jira.connection = makeConnection();
    server.world.jira.issues.set(
      issueId(0),
      makeJiraIssue({
        fault:
          'no transition leads SHOP-7 from “In Progress” to a status that is done without asking for more: its workflow offers Review, Ship; move it in Jira',
        fault_at: Date.now(),
      }),
    );
    const watched = await open(ISSUE, width, scheme);
    const panel = watched.page.locator('#jira');
    await panel.getByRole('link', { name: 'SHOP-7 In Progress' }).waitFor();
    await panel.scrollIntoViewIfNeeded();
    await expectAccessible(watched.page);
    await photograph(watched.page, `jira-issue-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await close(watched);
  });

  it('leads to the settings where there is no connection', async () => {
    const watched = await open(ISSUE);
    await watched.page.locator('#jira').getByRole('link', { name: 'Connect it in the settings' }).click();
    await watched.page.waitForURL(/\/settings#jira$/);
    await close(watched);
  });

  it('creates a Jira issue with what Jira requires, and shows what it refuses beside the field', async () => {
    server.world.jira.connection = makeConnection();
    const watched = await open(ISSUE);
    const { page } = watched;
    const panel = page.locator('#jira');
    await panel.getByRole('button', { name: 'Create Jira issue' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create a Jira issue' });
    await dialog.getByLabel('Found on').waitFor();
    expect(await dialog.getByLabel('Team').inputValue()).toBe('11');
    await dialog.getByRole('button', { name: 'Create Jira issue' }).click();
    await dialog.getByText('Jira requires it').first().waitFor();
    await expectAccessible(page);
    await photograph(page, 'jira-create');
    await dialog.getByLabel('Found on').fill('2026-01-31');
    await dialog.getByLabel('Search users for Owner').fill('ana');
    await dialog.getByLabel('Owner', { exact: true }).selectOption({ label: 'Ana Lima' });
    server.world.jira.refuses = { customfield_2: 'Found on: it is a Saturday' };
    await dialog.getByRole('button', { name: 'Create Jira issue' }).click();
    await dialog.getByText('it is a Saturday').waitFor();
    await dialog.getByLabel('Found on').fill('2026-01-30');
    await dialog.getByRole('button', { name: 'Create Jira issue' }).click();
    await panel.getByRole('link', { name: 'SHOP-7 To Do' }).waitFor();
    expect(server.world.jira.created).toEqual([
      {
        project: 'SHOP',
        issue_type: '1',
        fields: { customfield_1: '11', customfield_2: '2026-01-30', customfield_3: 'acc-ana' },
      },
    ]);
    await panel.getByRole('button', { name: 'Read again' }).click();
    await panel.getByRole('link', { name: 'SHOP-7 Done' }).waitFor();
    await panel.getByRole('button', { name: 'Unlink' }).click();
    await panel.getByRole('button', { name: 'Create Jira issue' }).waitFor();
    await close(watched);
  });

  it('says that it could not be loaded, and what is gone or not certain', async () => {
    server.world.jira.connection = makeConnection({ fault: 'Jira does not take the credentials (401)' });
    server.world.jira.issues.set(issueId(0), makeJiraIssue({ gone: true, fault: 'the Jira issue SHOP-7 was deleted' }));
    const watched = await open(ISSUE);
    const { page } = watched;
    const panel = page.locator('#jira');
    await panel.getByText('SHOP-7 was deleted').waitFor();
    await panel.getByText('Jira does not take the credentials (401)').waitFor();
    expect(await panel.getByRole('link', { name: /SHOP-7/ }).count()).toBe(0);
    server.world.jira.issues.clear();
    server.world.jira.unsure = true;
    await page.reload();
    await panel.getByText('trying again looks first whether it is there').waitFor();
    server.world.failures.set(`/api/v1/projects/0123456789abc/issues/${issueId(0)}/jira`, 503);
    await page.reload();
    await panel.getByText('The Jira issue could not be loaded').waitFor();
    server.world.failures.clear();
    await panel.getByRole('button', { name: 'Try again' }).click();
    await panel.getByRole('button', { name: 'Create Jira issue' }).waitFor();
    await close(watched);
  });
});
