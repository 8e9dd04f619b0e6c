import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { asksWithin, close, expectAccessible, launch, openPage, photograph, type WatchedPage } from '../server/browser';
import { makeProject, makeWorld, startServer, type TestServer } from '../server/server';

let browser: Browser;
let server: TestServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  const now = Date.now();
  server.world = makeWorld({
    keys: [{ id: 'key-old', hint: 'q7w2', created_at: now - 9 * 86_400_000 }],
    deadLetters: ['too-large-inflated', 'malformed-signals'].map((reason, index) => ({
      reason,
      detail: 'inflates past the 2097152 bytes that it declares',
      session_id: index === 0 ? '0123456789abcdef0123456789abcdef' : null,
      stream_id: null,
      trace_id: null,
      seq: index,
      received_at: now - index * 60_000,
      bytes: 4200,
      partition: 1,
      offset: 77 + index,
    })),
  });
  Object.assign(server.world.status.intake, { batches: 48_211, bytes: 91_000_000, signals: 801_223, duplicates: 12 });
  server.world.status.intake.dead_letters = { 'too-large-inflated': 1, 'malformed-signals': 1 };
});

async function open(width = 1440, scheme: 'light' | 'dark' = 'light', ownClock = false): Promise<WatchedPage> {
  const watched = await openPage(browser, { width, scheme });
  if (ownClock) await watched.page.clock.install();
  await watched.page.goto(`${server.url}/p/0123456789abc/settings`);
  await watched.page.getByRole('heading', { name: 'Install' }).waitFor();
  return watched;
}

it.each([
  [1440, 'light'],
  [1440, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const)('is accessible and looks right at %d px, %s', async (width, scheme) => {
  const watched = await open(width, scheme);
  const { page } = watched;
  await page.getByText('too-large-inflated').waitFor();
  await expectAccessible(page);
  await photograph(page, `settings-${String(width)}-${scheme}`);
  await page.locator('#intake').scrollIntoViewIfNeeded();
  await page.locator('.settings-scroll').evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await photograph(page, `settings-end-${String(width)}-${scheme}`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  await close(watched);
});

it('waits for the first event and says when it came', async () => {
  const watched = await open(1440, 'light', true);
  const { page } = watched;
  await page.getByText('waiting for your first event').waitFor();
  await asksWithin(page, 5000, server, () => {
    server.world.status.first_event_at = Date.now();
    server.world.status.last_event_at = Date.now();
  });
  await page.getByText('We have received your first event').waitFor();
  await close(watched);
});

it('copies both forms of the tag', async () => {
  const watched = await open();
  const { page } = watched;
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.getByRole('button', { name: 'Copy tag' }).click();
  await expect.poll(clipboard).toBe(server.world.projects[0]?.script_tag);
  await page.getByRole('tab', { name: 'Plain' }).click();
  await page.getByRole('button', { name: 'Copy tag' }).click();
  await expect.poll(clipboard).toBe(server.world.projects[0]?.script_tag_plain);
  await close(watched);
});

it('creates a secret key that is shown once, and revokes keys', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByRole('button', { name: 'Create secret key' }).click();
  await page.getByRole('heading', { name: 'Your new secret key' }).waitFor();
  const secret = await page.getByLabel('Secret key', { exact: true }).innerText();
  expect(secret).toMatch(/^phs_.{59}$/);
  await expectAccessible(page);
  await photograph(page, 'settings-secret-key');
  await page.getByRole('button', { name: 'Copy key' }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByText('phs_…9xyz').waitFor();
  expect(await page.content()).not.toContain(secret);
  await page.getByRole('button', { name: 'Revoke the key that ends in q7w2' }).click();
  await page.getByRole('button', { name: 'Revoke', exact: true }).last().click();
  await page.getByText('The key phs_…q7w2 is revoked').first().waitFor();
  await expect.poll(() => server.world.keys.map((key) => key.hint)).toEqual(['9xyz']);
  await close(watched);
});

it('saves only what changed, and shows what the server refuses beside its field', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByLabel('Recorded sessions').fill('250');
  await page.getByText('must be 0 to 100').waitFor();
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
  await page.getByLabel('Recorded sessions').fill('25');
  await page.getByLabel('Allowed origins').fill('nonsense');
  await page.getByRole('switch', { name: 'Store IP addresses' }).click();
  await photograph(page, 'settings-changed');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('nonsense is no origin').waitFor();
  await expectAccessible(page);
  await page.getByLabel('Allowed origins').fill('https://shop.example\n');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Settings saved').first().waitFor();
  expect(server.world.patches).toEqual([
    { sample_rate: 0.25, store_ip: true, allowed_origins: ['https://shop.example'] },
  ]);
  await page.getByText('Unsaved changes').waitFor({ state: 'detached' });
  await close(watched);
});

it('asks before unsaved changes are lost', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByLabel('Retention').fill('7');
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('heading', { name: 'Leave without saving?' }).waitFor();
  await page.getByRole('button', { name: 'Stay' }).click();
  expect(await page.getByLabel('Retention').inputValue()).toBe('7');
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.waitForURL(/\/sessions$/);
  await close(watched);
});

it('asks before what was decided about issues is lost', async () => {
  const watched = await open();
  const { page } = watched;
  const requests = page.locator('#issues').getByLabel('Failed requests as issues');
  await requests.selectOption('server');
  await page.getByRole('link', { name: 'Sessions', exact: true }).click();
  await page.getByRole('heading', { name: 'Leave without saving?' }).waitFor();
  await page.getByRole('button', { name: 'Stay' }).click();
  expect(await requests.inputValue()).toBe('server');
  await close(watched);
});

it('deletes a user’s data after asking', async () => {
  const watched = await open();
  const { page } = watched;
  await page.getByLabel('Delete a user’s data').fill('ana+test@shop.example/1');
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.getByRole('heading', { name: 'Delete everything about ana+test@shop.example/1?' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Delete for good' }).click();
  await page.getByText('3 sessions of ana+test@shop.example/1 deleted').first().waitFor();
  expect(server.world.deletedUsers).toEqual(['ana+test@shop.example/1']);
  await close(watched);
});

it('switches between projects', async () => {
  server.world.projects.push(makeProject({ id: 'zzzzzzzzzzzzz', name: 'Second shop' }));
  const watched = await open();
  const { page } = watched;
  await page.getByRole('button', { name: 'Project Acme Shop: switch' }).click();
  await page.getByRole('menuitem', { name: 'Second shop' }).click();
  await page.waitForURL(/\/p\/zzzzzzzzzzzzz\/sessions$/);
  await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
  await close(watched);
});

it('edits what becomes an issue, tries rules on the last week, and saves them', async () => {
  const watched = await open();
  const { page } = watched;
  const panel = page.locator('#issues');
  await panel.getByLabel('Failed requests as issues').selectOption('server');
  await panel.getByText('Leave out what bots run into').click();
  await panel.getByRole('button', { name: 'Add a rule' }).click();
  await panel.getByLabel('Message of rule 1').fill('card \\d+ was refused');
  await panel.getByLabel('Fingerprint of rule 1').fill('payments');
  server.world.dryRun.groups = [
    {
      rule: 1,
      fingerprint: 'payments',
      issues: [
        { id: 'a'.repeat(32), title: 'PaymentError: card 4711 was refused', events: 812 },
        { id: 'b'.repeat(32), title: 'Error: the card 17 was refused by a bank with a very long name', events: 1 },
      ],
    },
  ];
  await panel.getByRole('button', { name: 'Try on the last week' }).click();
  await panel.getByText('2 issues would be one').waitFor();
  await expectAccessible(page);
  await panel.scrollIntoViewIfNeeded();
  await photograph(page, 'settings-issues');
  await page.setViewportSize({ width: 390, height: 844 });
  await panel.getByLabel('Message of rule 1').scrollIntoViewIfNeeded();
  await photograph(page, 'settings-issues-390');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  const beyond = await panel
    .locator('.rules *')
    .evaluateAll((parts) => parts.filter((part) => part.getBoundingClientRect().right > window.innerWidth).length);
  expect(beyond).toBe(0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await panel.getByRole('button', { name: 'Save' }).click();
  await page.getByText('It counts for what is received a minute from now').first().waitFor();
  expect(server.world.patches).toEqual([
    {
      failed_requests: 'server',
      error_filters_off: ['bot'],
      grouping_rules: [{ path: '', type: '', message: 'card \\d+ was refused', fingerprint: 'payments' }],
    },
  ]);
  await close(watched);
});

it('lists discarded issues and takes one again', async () => {
  server.world.discarded = [
    { id: 'c'.repeat(32), title: 'Error: noise', discarded_by: 'administrator', from_ms: Date.now(), to_ms: null },
  ];
  const watched = await open();
  const { page } = watched;
  await page.getByRole('button', { name: 'Take Error: noise again' }).click();
  await page.getByText('Such errors make a new issue from a minute on').first().waitFor();
  await expect.poll(() => page.getByRole('button', { name: 'Take Error: noise again' }).count()).toBe(0);
  await expectAccessible(page);
  await close(watched);
});
