import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { channelId, makeChannel, makeDelivery, makeFiring, makeRule, ruleId } from '../server/alerts';
import { close, expectAccessible, launch, openPage, overflow, photograph, type WatchedPage } from '../server/browser';
import { issueId, makeIssue } from '../server/issues';
import { makeWorld, startServer, type TestServer } from '../server/server';

let browser: Browser;
let server: TestServer;
const FIRED = '/p/0123456789abc/alerts';

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  server.world = makeWorld({ issues: [0, 1, 2].map((index) => makeIssue(index)) });
});

async function open(path: string, width = 1440, scheme: 'light' | 'dark' = 'light'): Promise<WatchedPage> {
  const watched = await openPage(browser, { width, scheme });
  await watched.page.goto(server.url + path);
  return watched;
}

/** Three rules and channels; what fires, was taken on and is over, told in each way there is. */
function fill() {
  const { alerts } = server.world;
  alerts.rules = [0, 1, 2].map((index) => makeRule(index));
  alerts.channels = [0, 1, 2].map((index) => makeChannel(index));
  const [high, checkout, regressed] = alerts.rules;
  if (!high || !checkout || !regressed) throw new Error('no rules');
  const chunk = { title: makeIssue(2).title, culprit: '', why: 'an issue was seen for the first time' };
  const open = makeFiring(checkout, issueId(0));
  const taken = makeFiring(high, issueId(2), {
    ...chunk,
    status: 'acknowledged',
    by: 'Administrator',
    priority: 'low',
  });
  const untold = makeFiring(regressed, issueId(1), { title: makeIssue(1).title, priority: 'medium' });
  const over = makeFiring(high, issueId(1), { status: 'resolved', title: makeIssue(1).title, priority: 'medium' });
  alerts.firings = [open, taken, untold, over];
  alerts.deliveries = [
    makeDelivery(open, { channel: channelId(2), outcome: 'failed', attempt: 2, sentence: '503: come back later' }),
    makeDelivery(open, { channel: channelId(2), outcome: 'failed', sentence: 'no answer within 15 s' }),
    makeDelivery(open),
    makeDelivery(taken, { outcome: 'gave_up', sentence: '404: no such hook' }),
    makeDelivery(over, { transition: 'resolved' }),
  ];
  return alerts;
}

const LOOKS = [
  [1440, 'light'],
  [1440, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const;

const PAGES = [
  ['fired', FIRED, 'order.receipt'],
  ['rules', `${FIRED}/rules`, 'Checkout breaks'],
  ['rule', `${FIRED}/rules/${ruleId(1)}`, 'It would have fired 2 times.'],
  ['channels', `${FIRED}/channels`, 'hooks.slack.com/…x7Qa'],
  ['settings', `${FIRED}/settings`, 'What fires meanwhile is listed'],
] as const;

describe.each(PAGES)('the page of what is %s', (name, path, text) => {
  it.each(LOOKS)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    const alerts = fill();
    const now = Date.now();
    alerts.settings.maintenance = [-9, -1, 9].map((hours) => ({
      from_ms: now + hours * 3_600_000,
      to_ms: now + (hours + 2) * 3_600_000,
    }));
    alerts.rules[1] = makeRule(1, {
      hours: { zone: 'Europe/Lisbon', days: ['monday', 'tuesday', 'friday'], from: '09:00', to: '18:00' },
      escalation: { after_minutes: 15, channels: [channelId(1)] },
    });
    alerts.preview.total = 2;
    alerts.preview.notes = ['issues are filtered as they are now, not as they were then'];
    alerts.preview.items = [true, false].map((certain, index) => ({
      issue: issueId(index),
      title: makeIssue(index).title,
      from_ms: Date.now() - (index + 1) * 9_000_000,
      to_ms: certain ? null : Date.now() - 9_000_000,
      why: '31 users within 15 minutes, limit 20',
      grain_ms: certain ? 300_000 : 3_600_000,
      certain,
    }));
    const watched = await open(path, width, scheme);
    await watched.page.getByText(text).first().waitFor();
    await watched.page.waitForLoadState('networkidle');
    await expectAccessible(watched.page);
    await photograph(watched.page, `alerts-${name}-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await close(watched);
  });
});

describe('what fired', () => {
  it('says who was told and how that went, and shows each try', async () => {
    fill();
    const watched = await open(FIRED);
    const { page } = watched;
    const row = page.getByRole('row', { name: /order\.receipt/ });
    await row.getByText('Own receiver · trying again').waitFor();
    await row.getByText('On call · told').waitFor();
    await row.getByText('612 users').waitFor();
    await page.getByText('nobody: no channel').waitFor();
    await page.getByText('given up').waitFor();
    await page.getByText('3 open alerts').waitFor({ state: 'detached' });
    await page.getByText('2 open alerts').waitFor();
    await row.getByRole('button', { name: /show each try/ }).click();
    const log = page.getByRole('list', { name: 'Deliveries' });
    await log.waitFor();
    expect(await log.getByRole('listitem').count()).toBe(3);
    await log.getByText('503: come back later').waitFor();
    await log.getByText('· try 2').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-log');
    await page.keyboard.press('Escape');
    await row.getByRole('link', { name: /order\.receipt/ }).click();
    await page.waitForURL(`**/issues/${issueId(0)}`);
    await close(watched);
  });

  it('is acknowledged and resolved, by button and by key', async () => {
    const { firings } = fill();
    const watched = await open(FIRED);
    const { page } = watched;
    await page.getByRole('button', { name: /^Acknowledge: TypeError/ }).click();
    await page
      .getByText(/^Acknowledged: TypeError/)
      .first()
      .waitFor();
    expect(firings[0]).toMatchObject({ status: 'acknowledged' });
    await page.getByRole('button', { name: /^Acknowledge: TypeError/ }).waitFor({ state: 'detached' });
    // Keys do nothing while a change is under way.
    await page.getByRole('button', { name: /^Resolve: TypeError/, disabled: false }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('e');
    await page
      .getByText(/^Resolved: TypeError/)
      .first()
      .waitFor();
    expect(firings[0]).toMatchObject({ status: 'resolved' });
    await page.getByText('Over · 2').waitFor();
    await close(watched);
  });

  it('is filtered by state and by rule, in the address', async () => {
    fill();
    const watched = await open(`${FIRED}?rule=${ruleId(0)}`);
    const { page } = watched;
    await expect.poll(() => page.locator('.firing-link').count()).toBe(2);
    await page.getByRole('link', { name: 'Open the rule' }).waitFor();
    await page.getByRole('button', { name: 'State: Any state' }).click();
    await page.getByRole('menuitemradio', { name: 'Resolved' }).click();
    await page.waitForURL(/state=resolved/);
    await expect.poll(() => page.locator('.firing-link').count()).toBe(1);
    await page.getByRole('button', { name: 'Remove filter rule: New issue of high priority' }).click();
    await page.waitForURL((url) => !url.searchParams.has('rule') && url.searchParams.has('state'));
    await page.getByRole('button', { name: 'State: Resolved' }).click();
    await page.getByRole('menuitemradio', { name: 'Any state' }).click();
    await expect.poll(() => page.locator('.firing-link').count()).toBe(4);
    await close(watched);
  });

  it('leads on where nothing fired, and says what failed', async () => {
    server.world.alerts.rules = [makeRule(2)];
    const watched = await open(FIRED);
    const { page } = watched;
    await page.getByRole('heading', { name: 'Nothing has fired' }).waitFor();
    await page.getByText('1 rule watches this project').waitFor();
    await page.getByText('There is no channel yet').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-none');
    await page.getByRole('link', { name: 'Set up a channel' }).click();
    await page.getByRole('heading', { name: 'No channels yet' }).waitFor();
    await page.getByRole('link', { name: 'Fired' }).click();
    server.world.failures.set('/api/v1/projects/0123456789abc/alerts/firings', 503);
    await page.getByText('not refreshed: trying again').waitFor({ timeout: 60_000 });
    await page.reload();
    await page.getByRole('heading', { name: 'Alerts could not be loaded' }).waitFor();
    server.world.failures.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Nothing has fired' }).waitFor();
    await close(watched);
  });
});

describe('rules', () => {
  it('are written with a preview before they are saved', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/rules`);
    const { page } = watched;
    await page.getByText('When an issue has at least 20 users within 15 minutes').waitFor();
    await page.getByRole('link', { name: 'New rule' }).click();
    await page.getByText('It would not have fired.').waitFor();
    await page.getByLabel('At least', { exact: true }).fill('0');
    await page.getByText('must be at least 1').waitFor();
    await page.getByText('Shown as soon as the fields can be read.').waitFor();
    alerts.preview.total = 7;
    await page.getByLabel('At least', { exact: true }).fill('5');
    await page.getByLabel('What is counted').selectOption('events');
    await page.getByText('It would have fired 7 times.').waitFor();
    await expect
      .poll(() => alerts.previewed.at(-1)?.condition)
      .toMatchObject({ kind: 'seen', measure: 'events', at_least: 5 });
    expect(alerts.drafts).toEqual([]);
    await page.getByRole('button', { name: 'Create rule' }).click();
    await page.getByText('must be 1 to 100 characters').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Cart breaks');
    await page.getByLabel('Only issues that match').fill('nonsense:1');
    await page
      .getByRole('group', { name: 'Tells', exact: true })
      .getByRole('checkbox', { name: /On call/ })
      .check();
    await page.getByRole('switch', { name: 'Only within certain hours' }).click();
    await page.getByRole('button', { name: 'Sun', exact: true }).click();
    await page.getByLabel('Time zone').selectOption('Europe/Lisbon');
    await page.getByRole('group', { name: 'If nobody' }).getByRole('checkbox', { name: /mail/ }).check();
    await page.getByLabel('After', { exact: true }).fill('30');
    await page.getByLabel('Muted').selectOption({ label: 'For a day' });
    await page.getByRole('button', { name: 'Create rule' }).click();
    await page.getByText('`nonsense` is no field').first().waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-new-rule');
    await page.getByLabel('Only issues that match').fill('page:/cart');
    await page.getByRole('button', { name: 'Create rule' }).click();
    await page.waitForURL(/\/alerts\/rules$/);
    await page.getByText('When an issue has at least 5 events within 15 minutes, that matches page:/cart.').waitFor();
    expect(alerts.drafts).toEqual([
      expect.objectContaining({
        name: 'Cart breaks',
        filter: 'page:/cart',
        channels: [channelId(0)],
        hours: {
          zone: 'Europe/Lisbon',
          days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'sunday'],
          from: '09:00',
          to: '18:00',
        },
        escalation: { after_minutes: 30, channels: [channelId(1)] },
        version: null,
      }),
    ]);
    await page.getByText('Told Mon, Tue, Wed, Thu, Fri, Sun 09:00–18:00 (Europe/Lisbon).').waitFor();
    const muted = alerts.drafts[0]?.muted_until_ms ?? 0;
    expect(Math.abs(muted - Date.now() - 86_400_000)).toBeLessThan(3_600_000);
    await close(watched);
  });

  it('measure an endpoint or a page', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/rules/new`);
    const { page } = watched;
    await page.getByRole('radio', { name: /^A slow or failing endpoint/ }).check();
    await page.getByLabel('Name', { exact: true }).fill('Payments fail');
    await page.getByLabel('Endpoint', { exact: true }).fill('POST /api/pay');
    await page.getByText('When the error share of POST /api/pay is at least 10 % within 15 minutes.').waitFor();
    await page.getByLabel('What is measured').selectOption('apdex');
    await page.getByLabel('At most', { exact: true }).fill('2');
    await page.getByText('must be 0 to 0.99').waitFor();
    await page.getByLabel('At most', { exact: true }).fill('0.6');
    await page.getByLabel('Only in environment').fill('production');
    await page.getByText('When Apdex of POST /api/pay in production is at most 0.6 within 15 minutes.').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-endpoint-rule');
    await page.getByRole('button', { name: 'Create rule' }).click();
    await page.waitForURL(/\/alerts\/rules$/);
    expect(alerts.drafts.map(({ condition }) => condition)).toEqual([
      expect.objectContaining({
        kind: 'endpoint',
        window_minutes: 15,
        limit: expect.objectContaining({ measure: 'apdex', name: 'POST /api/pay', trigger_at: 0.6, resolve_at: 0.8 }),
      }),
    ]);
    await close(watched);
  });

  it('are turned off and on in the list; a change of somebody else is not overwritten', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/rules`);
    const { page } = watched;
    const isOn = page.getByRole('switch', { name: 'Checkout breaks is on' });
    await isOn.click();
    await page.getByText('“Checkout breaks” is off').first().waitFor();
    expect(alerts.drafts.at(-1)).toMatchObject({ disabled: true, version: 3 });
    expect(await isOn.isChecked()).toBe(false);
    const [, rule] = alerts.rules;
    if (rule) Object.assign(rule, { version: 9, name: 'Theirs' });
    await isOn.click();
    await page.getByText('Somebody changed this rule meanwhile').first().waitFor();
    await page.getByRole('switch', { name: 'Theirs is on' }).waitFor();
    expect(rule?.disabled).toBe(true);
    await close(watched);
  });

  it('say that somebody else changed them, and let one choose', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/rules/${ruleId(1)}`);
    const { page } = watched;
    await page.getByLabel('At least', { exact: true }).fill('40');
    await page.getByText('Saving this ends what the rule has fired').waitFor();
    const [, rule] = alerts.rules;
    if (rule) Object.assign(rule, { version: 8, throttle_minutes: 5 });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Somebody changed this rule while you were editing.').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-conflict');
    expect(alerts.drafts).toEqual([]);
    await page.getByRole('button', { name: 'Drop mine, show theirs' }).click();
    await expect.poll(() => page.getByLabel('Once per issue within').inputValue()).toBe('5');
    expect(await page.getByLabel('At least', { exact: true }).inputValue()).toBe('20');
    if (rule) rule.version = 11;
    await page.getByLabel('At least', { exact: true }).fill('50');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save mine over theirs' }).click();
    await page.waitForURL(/\/alerts\/rules$/);
    expect(alerts.drafts.at(-1)).toMatchObject({ version: 11, condition: { at_least: 50 } });
    await close(watched);
  });

  it('are deleted after it has asked, and unsaved changes are not lost unasked', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/rules/${ruleId(1)}`);
    const { page } = watched;
    await page.getByLabel('Name', { exact: true }).fill('Other');
    await page.getByRole('link', { name: 'Issues' }).first().click();
    await page.getByText('Your changes to the rule are not saved.').waitFor();
    await page.getByRole('button', { name: 'Stay' }).click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Keep it' }).click();
    expect(alerts.rules.length).toBe(3);
    await page.getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.waitForURL(/\/alerts\/rules$/);
    await page.getByText('2 rules · a project has at most 50').waitFor();
    await page.goto(`${server.url}${FIRED}/rules/${ruleId(1)}`);
    await page.getByRole('heading', { name: 'There is no such rule' }).waitFor();
    await close(watched);
  });
});

describe('channels', () => {
  it('are created by kind, and a secret that was made is shown once', async () => {
    const { alerts } = server.world;
    const watched = await open(`${FIRED}/channels`);
    const { page } = watched;
    await page.getByRole('button', { name: 'New channel' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Create channel' }).click();
    expect(await dialog.getByText('must be given').count()).toBe(2);
    await dialog.getByLabel('Kind').selectOption('email');
    await dialog.getByLabel('Recipients').waitFor();
    await dialog.getByLabel('Kind').selectOption('pagerduty');
    await dialog.getByLabel('Integration key').waitFor();
    await dialog.getByLabel('Kind').selectOption('webhook');
    await dialog.getByLabel('Name').fill('Receiver');
    await dialog.getByLabel('Address').fill('http://127.0.0.1/hook');
    await dialog.getByRole('button', { name: 'Create channel' }).click();
    await dialog.getByText('leads to an address that is not public').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-new-channel');
    await dialog.getByLabel('Address').fill('https://hooks.shop.example/a');
    await dialog.getByRole('button', { name: 'Create channel' }).click();
    const secret = await page.locator('pre[aria-label="Signing secret"]').innerText();
    expect(secret).toMatch(/^whsec_/);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('1 channel · a project has at most 20').waitFor();
    expect(await page.content()).not.toContain(secret);
    expect(alerts.channelChanges).toEqual([
      { name: 'Receiver', settings: { kind: 'webhook', url: 'https://hooks.shop.example/a' } },
    ]);
    await close(watched);
  });

  it('are tried, and what came back is shown', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/channels`);
    const { page } = watched;
    const test = page.getByRole('button', { name: 'Send a test to On call' });
    await test.click();
    await page.getByText('Delivered (200): ok').waitFor();
    alerts.test = { delivered: false, status: 503, detail: 'come back later', retryable: true };
    await test.click();
    await page.getByText('Not delivered (503): come back later. An alert would be tried again.').waitFor();
    await expectAccessible(page);
    await photograph(page, 'alerts-tested');
    await close(watched);
  });

  it('are renamed without their secrets, and deleted after it has said which rules tell them', async () => {
    const alerts = fill();
    const watched = await open(`${FIRED}/channels`);
    const { page } = watched;
    await page.getByRole('button', { name: 'Edit On call' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Night shift');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Edit Night shift' }).waitFor();
    expect(alerts.channelChanges).toEqual([{ name: 'Night shift' }]);
    await page.getByRole('button', { name: 'Edit Night shift' }).click();
    const [first] = alerts.channels;
    if (first) first.version = 7;
    await page.getByRole('dialog').getByLabel('Name').fill('Mine');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody changed this channel while you were editing.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Delete Night shift' }).click();
    await page.getByText('Rules tell it: “New issue of high priority”, “Checkout breaks”.').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('“Night shift” is deleted').first().waitFor();
    await page.getByText('2 channels · a project has at most 20').waitFor();
    await page.getByRole('link', { name: 'Rules' }).click();
    await page.getByText('a deleted channel').first().waitFor();
    await close(watched);
  });
});

describe('settings of all alerts', () => {
  it('plan and end maintenance, and are not saved over those of somebody else', async () => {
    const { alerts } = server.world;
    const watched = await open(`${FIRED}/settings`);
    const { page } = watched;
    await page.getByText('None is planned.').waitFor();
    await page.getByLabel('To', { exact: true }).fill('2020-01-01T10:00');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByText('The span must end after it begins.').waitFor();
    await page.getByLabel('To', { exact: true }).fill('2099-01-01T10:00');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('button', { name: 'End now' }).waitFor();
    await page.getByLabel('At most').fill('0');
    await page.getByText('must be 1 to 1,000').waitFor();
    await page.getByLabel('At most').fill('25');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Settings saved').first().waitFor();
    expect(alerts.settings).toMatchObject({ version: 2, messages_per_hour: 25 });
    expect(alerts.settings.maintenance).toHaveLength(1);
    await page.getByRole('button', { name: 'End now' }).click();
    await page.getByText('over', { exact: true }).waitFor();
    alerts.settings = { version: 3, maintenance: [], messages_per_hour: 40 };
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Somebody changed these settings meanwhile').first().waitFor();
    await page.getByText('None is planned.').waitFor();
    expect(await page.getByLabel('At most').inputValue()).toBe('40');
    await close(watched);
  });
});
