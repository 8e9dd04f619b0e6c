import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { close, expectAccessible, launch, openPage, overflow, photograph, type WatchedPage } from '../server/browser';
import { issueId, makeEvents, makeIssue, makeOriginal, makeStackFrame } from '../server/issues';
import { makeWorld, startServer, type TestServer } from '../server/server';
import { makeSession } from '../server/sessions';

let browser: Browser;
let server: TestServer;
const LIST = '/p/0123456789abc/issues';
const PAGE = `${LIST}/${issueId(0)}`;
const many = (count: number) => Array.from({ length: count }, (_, index) => makeIssue(index));

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(() => {
  server.world = makeWorld();
});

async function open(path: string, width = 1440, scheme: 'light' | 'dark' = 'light'): Promise<WatchedPage> {
  const watched = await openPage(browser, { width, scheme });
  await watched.page.goto(server.url + path);
  return watched;
}

/** One issue with everything around it: its sessions, and the events of the latest. */
function withLatest() {
  const sessions = [0, 1, 2, 3].map((index) => makeSession(index, Date.now() - 120_000));
  const [first] = sessions;
  if (!first) throw new Error('no session');
  const latest = {
    session: first.id,
    event: '0123456789abcdef-0-20000',
    time_ms: first.started_at + 20_000,
    replay: 'playable' as const,
  };
  server.world.sessions = sessions;
  server.world.issues = [makeIssue(0, { latest }), makeIssue(1)];
  server.world.events.set(first.id, makeEvents(makeIssue(0), first.started_at));
  return first;
}

const LOOKS = [
  [1440, 'light'],
  [1440, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const;

describe('the issues page', () => {
  it.each(LOOKS)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    server.world.issues = many(14);
    const watched = await open(`${LIST}?state=any`, width, scheme);
    await watched.page.getByText('order.receipt').first().waitFor();
    await watched.page.keyboard.press('j');
    await watched.page.keyboard.press('x');
    await watched.page.getByText('1 selected').waitFor();
    await expectAccessible(watched.page);
    await photograph(watched.page, `issues-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await close(watched);
  });

  it('ranks by priority and says why, and keeps sort, state and time line in the address', async () => {
    server.world.issues = many(6);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('37 % of sessions in the last hour').first().waitFor();
    expect(await page.locator('.issue-link').first().innerText()).toContain('order.receipt');
    // Resolved and archived ones are not shown unless asked for.
    expect(await page.locator('.issue-link').count()).toBe(4);
    await page.getByRole('button', { name: 'State: Unresolved' }).click();
    await page.getByRole('menuitemradio', { name: 'Resolved', exact: true }).click();
    await page.waitForURL(/state=resolved/);
    await expect.poll(() => page.locator('.issue-link').count()).toBe(1);
    await page.getByRole('button', { name: 'Sort: Priority' }).click();
    await page.getByRole('menuitemradio', { name: 'Last seen' }).click();
    await page.waitForURL(/sort=last_seen/);
    await page.getByRole('button', { name: 'Time line: 24 hours' }).click();
    await page.getByRole('menuitemradio', { name: '30 days' }).click();
    await page.waitForURL(/span=30d/);
    await page.getByRole('img', { name: /in 30 days/ }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sort: Last seen' }).waitFor();
    await page.getByRole('button', { name: 'State: Resolved' }).waitFor();
    await close(watched);
  });

  it('searches as one types and turns key:value into chips', async () => {
    server.world.issues = many(6);
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('receipt');
    await page.waitForURL(/q=receipt/);
    await expect.poll(() => page.locator('.issue-link').count()).toBe(2);
    await page.getByLabel('Filter issues').fill('release:2.4.1 ');
    const chip = page.getByRole('button', { name: 'Remove filter release: 2.4.1' });
    await chip.waitFor();
    await page.waitForURL((url) => url.searchParams.get('release') === '2.4.1' && !url.searchParams.has('q'));
    await expect
      .poll(() => server.world.requests.some((request) => decodeURIComponent(request).includes('release:2.4.1')))
      .toBe(true);
    await chip.click();
    await page.waitForURL((url) => !url.searchParams.has('release'));
    await close(watched);
  });

  it('is driven by keys: j, k, x, e, a, Enter, ?', async () => {
    server.world.issues = many(4);
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().waitFor();
    const shown = await page
      .locator('.issue-link')
      .evaluateAll((links) => links.map((link) => (link as HTMLElement).dataset['issue'] ?? ''));
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('2 selected').waitFor();
    await page.keyboard.press('e');
    await page.getByText('2 issues resolved').first().waitFor();
    expect(server.world.issueChanges).toEqual([
      [expect.arrayContaining(shown.slice(0, 2)), { state: 'resolved', resolved_in: 'now' }],
    ]);
    expect(server.world.requests.some((request) => request.startsWith('POST') && request.endsWith('/bulk'))).toBe(true);
    // They are gone from the list of unresolved ones, and nothing is selected any more.
    await expect.poll(() => page.locator('.issue-link').count()).toBe(2);
    await page.getByText('2 selected').waitFor({ state: 'detached' });
    await page.keyboard.press('k');
    await page.keyboard.press('a');
    await page.getByLabel('Name or e-mail address').fill('ana@shop.example');
    await expectAccessible(page);
    await page.keyboard.press('Enter');
    await page.getByText('1 issue assigned to ana@shop.example').first().waitFor();
    expect(server.world.issueChanges.at(-1)?.[1]).toEqual({ assignee: 'ana@shop.example' });
    await page.keyboard.press('?');
    await page.getByText('Select the issue').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/issues\/[0-9a-f]{32}/);
    await close(watched);
  });

  it('merges what is selected, and splits it off again on the page of the issue', async () => {
    server.world.issues = many(4);
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().waitFor();
    const titles = await page.locator('.issue-link').allInnerTexts();
    for (let row = 0; row < 2; row += 1) {
      await page.keyboard.press('j');
      await page.keyboard.press('x');
    }
    await page.getByText('2 selected').waitFor();
    await page.keyboard.press('m');
    await page.getByRole('heading', { name: 'Merge 2 issues' }).waitFor();
    await expectAccessible(page);
    await photograph(page, 'issues-merge');
    await page.getByRole('radio').last().check();
    await page.getByRole('button', { name: 'Merge', exact: true }).click();
    await page.getByText('2 issues merged').first().waitFor();
    await expect.poll(() => page.locator('.issue-link').count()).toBe(titles.length - 1);
    await page.getByText('+1 merged').waitFor();
    await page.locator('.issue-row', { hasText: '+1 merged' }).locator('.issue-link').click();
    const panel = page.getByRole('region', { name: 'Merged with 1 issue' });
    await panel.waitFor();
    await expectAccessible(page);
    await panel.scrollIntoViewIfNeeded();
    await photograph(page, 'issue-merged');
    await page.getByRole('button', { name: /^Split off/ }).click();
    await page.getByText('It is an issue of its own again').first().waitFor();
    await panel.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Issues' }).first().click();
    await expect.poll(() => page.locator('.issue-link').count()).toBe(titles.length);
    await close(watched);
  });

  it('discards after it has asked', async () => {
    server.world.issues = many(3);
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByRole('button', { name: 'Discard…' }).click();
    await page.getByRole('heading', { name: 'Discard 1 issue?' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(server.world.discarded).toEqual([]);
    await page.getByRole('button', { name: 'Discard…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard', exact: true }).click();
    await page.getByText('1 issue discarded').first().waitFor();
    await expect.poll(() => page.locator('.issue-link').count()).toBe(2);
    expect(server.world.discarded.length).toBe(1);
    await close(watched);
  });

  it('loads further pages by scrolling and draws only rows in sight', async () => {
    server.world.issues = many(130).map((issue) => ({ ...issue, state: 'ongoing' }));
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().waitFor();
    const scrollOn = async () => {
      await page.locator('.sessions-scroll').evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      return page.getByText('130 issues · that is all').isVisible();
    };
    await expect.poll(scrollOn, { timeout: 60_000, interval: 100 }).toBe(true);
    expect(await page.locator('.issues-body [role=row]').count()).toBeLessThan(40);
    await close(watched);
  });

  it('shows hostile titles as text', async () => {
    const html = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>';
    const session = withLatest();
    const hostile = { title: html, culprit: html, type: html, assignee: html, first_release: html, last_release: html };
    const [issue] = server.world.issues;
    if (!issue) throw new Error('no issue');
    Object.assign(issue, hostile, { priority: { score: 100, pinned: false, level: 'high', reason: html } });
    issue.components = [{ name: html, values: [html], counted: true, why: html }];
    issue.history = [{ time_ms: Date.now(), actor: html, change: html }];
    issue.members = [{ ...makeIssue(5), title: html, culprit: html, merged_at_ms: Date.now(), merged_by: html }];
    issue.breakdowns.page = [{ value: `javascript:${html}`, events: 3 }];
    const error = server.world.events.get(session.id)?.find(({ kind }) => kind === 'error');
    Object.assign(error?.data ?? {}, {
      message: html,
      frames: [{ function: html, file: `javascript:${html}`, line: 1, column: 1, kind: html, in_app: true }],
    });
    const watched = await open(LIST);
    const { page } = watched;
    await page.locator('.issue-link').first().click();
    await page.getByRole('list', { name: 'Stack' }).first().waitFor();
    await page.locator('.grouping li').first().waitFor();
    expect(await page.locator('.page img, .page script').count()).toBe(0);
    expect(await page.evaluate(() => 'owned' in window)).toBe(false);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await close(watched);
  });
});

describe('every state of the list', () => {
  it('empty, nothing recorded: says what to do next', async () => {
    const watched = await open(LIST);
    await watched.page.getByRole('heading', { name: 'No issues yet' }).waitFor();
    await expectAccessible(watched.page);
    await close(watched);
  });

  it('empty, errors filtered: says how many and why', async () => {
    Object.assign(server.world.status, { first_event_at: Date.now() - 60_000 });
    Object.assign(server.world.status.intake, { filtered_errors: { browser_extension: 12, script_error: 3, bot: 0 } });
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('heading', { name: 'No open issues' }).waitFor();
    await page.getByText('15 errors made no issue because they were filtered').waitFor();
    await page.getByText('12 thrown by browser extensions').waitFor();
    await expectAccessible(page);
    await photograph(page, 'issues-empty-filtered');
    await close(watched);
  });

  it('nothing matches: filters can be cleared', async () => {
    server.world.issues = many(3);
    const watched = await open(`${LIST}?q=nothing-like-it`);
    const { page } = watched;
    await page.getByRole('heading', { name: 'No issue matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.locator('.issue-link').first().waitFor();
    await close(watched);
  });

  it('partial: the search goes on by hand', async () => {
    server.world.issues = many(3);
    server.world.firstPageIsPartial = true;
    const watched = await open(LIST);
    await watched.page.getByRole('button', { name: 'Keep searching' }).click();
    await watched.page.locator('.issue-link').first().waitFor();
    await close(watched);
  });

  it('failed: says why, and recovers by retry', async () => {
    server.world.failures.set('/api/v1/projects/0123456789abc/issues', 503);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('heading', { name: 'Issues could not be loaded' }).waitFor();
    await expectAccessible(page);
    server.world.failures.clear();
    server.world.issues = many(3);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.issue-link').first().waitFor();
    await close(watched);
  });
});

describe('the page of an issue', () => {
  it.each(LOOKS)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    withLatest();
    const watched = await open(PAGE, width, scheme);
    const { page } = watched;
    await page.getByText('submitOrder').first().waitFor();
    await page.locator('.trail li').first().waitFor();
    await page.locator('.issue-session').first().waitFor();
    await expectAccessible(page);
    await photograph(page, `issue-${String(width)}-${scheme}`);
    await page.locator('.issue-scroll').evaluate((element) => {
      element.scrollTop = 760;
    });
    await photograph(page, `issue-below-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await close(watched);
  });

  it('shows the page’s own frames first, all of them by one button', async () => {
    withLatest();
    const watched = await open(PAGE);
    const stack = watched.page.getByRole('list', { name: 'Stack' }).first();
    await stack.waitFor();
    expect(await stack.locator('li').allInnerTexts()).toEqual([
      'submitOrder checkout-3f2a.js:88:23',
      'async pay checkout-3f2a.js:61:5',
    ]);
    await watched.page.getByRole('button', { name: 'Show all frames (4)' }).click();
    expect(await stack.locator('li').allInnerTexts()).toEqual([
      'submitOrder checkout-3f2a.js:88:23',
      'invokeGuarded vendor-77ab.js:1:40211',
      'async pay checkout-3f2a.js:61:5',
      'dispatch vendor-77ab.js:1:9120',
      '3 further frames were not kept',
    ]);
    await close(watched);
  });

  it.each(LOOKS)('shows what was written with the lines around it at %d px, %s', async (width, scheme) => {
    withLatest();
    const [thrown, caller] = [makeOriginal('Cart.pay'), makeOriginal('onClick')];
    const frames = [makeStackFrame({ original: thrown }), makeStackFrame({ original: caller })];
    server.world.stack = { ...server.world.stack, release: '2.4.1', frames };
    const watched = await open(PAGE, width, scheme);
    const stack = watched.page.getByRole('list', { name: 'Stack' }).first();
    await stack.getByText('Cart.pay').waitFor();
    expect(await stack.locator('summary').allInnerTexts()).toEqual([
      'Cart.pay checkout.ts:8:10',
      'onClick checkout.ts:8:10',
    ]);
    // The first source shows at once; the second one when it is asked for.
    expect(await stack.locator('.source:visible').count()).toBe(1);
    expect(await stack.locator('.source:visible li').count()).toBe(9);
    expect(await stack.locator('[aria-current=true]').first().innerText()).toBe('    return this.order.receipt;');
    await stack.getByText('// <b>first</b>').first().waitFor();
    expect(await stack.getByText('checkout.ts:8:10').first().getAttribute('title')).toBe(
      '../../src/checkout.ts:8:10\nhttps://shop.example/assets/index-BxY12abc.js?v=1:1:48211',
    );
    await expectAccessible(watched.page);
    await photograph(watched.page, `issue-source-${String(width)}-${scheme}`);
    expect(await overflow(watched)).toBeLessThanOrEqual(0);
    await stack.getByText('onClick').click();
    expect(await stack.locator('.source:visible').count()).toBe(2);
    await close(watched);
  });

  it('says why a stack is not readable, with the command that changes it', async () => {
    withLatest();
    const hintOf = async (change: Parameters<typeof makeStackFrame>[0], release: string | null = null) => {
      server.world.stack = { release, frames: [makeStackFrame(change)], causes: [], errors: [] };
      const watched = await open(PAGE);
      await watched.page.getByRole('list', { name: 'Stack' }).first().waitFor();
      const hint = watched.page.locator('.missing-map');
      await hint.waitFor();
      const words = await hint.innerText();
      await close(watched);
      return words;
    };
    const upload = `playhead sourcemaps upload --url ${server.url} --project 0123456789abc`;
    const missing = await hintOf({ missing: 'no_map' }, "it's 2.4.1");
    expect(missing).toContain("no source map of assets/index-BxY12abc.js in release it's 2.4.1");
    expect(missing).toContain(`${upload} --release 'it'\\''s 2.4.1' dist`);
    expect(await hintOf({ missing: 'no_release' })).toContain(`playhead sourcemaps inject dist && ${upload} dist`);
    const broken = await hintOf({ missing: 'broken_map', missing_detail: 'it is torn' }, '2.4.1');
    expect(broken).toContain('cannot be read: it is torn.');
    expect(await hintOf({ missing: 'no_source', original: { ...makeOriginal('pay'), source: null } })).toContain(
      'sourcesContent',
    );
    expect(await hintOf({ missing: 'not_mapped' })).toContain('another build');
  });

  it('asks for no map of code that nobody minified', async () => {
    withLatest();
    const frame = makeStackFrame({ file: 'https://shop.example/shop.js', column: 12, missing: 'no_map' });
    server.world.stack = { ...server.world.stack, frames: [frame] };
    const watched = await open(PAGE);
    await watched.page.getByText('shop.js:1:12').waitFor();
    expect(await watched.page.locator('.missing-map').count()).toBe(0);
    await close(watched);
  });

  it('shows what led to it, and links to replays that start ten seconds before', async () => {
    const first = withLatest();
    const watched = await open(PAGE);
    const { page } = watched;
    await page.locator('.trail li').first().waitFor();
    const labels = await page.locator('.trail .event-label').allInnerTexts();
    expect(labels).toEqual(['Page', 'Click', 'POST', 'console.warn', 'TypeError']);
    const watch = page.getByRole('link', { name: 'Watch the replay' });
    expect(await watch.getAttribute('href')).toContain(`/sessions/${first.id}?t=10000&pane=errors`);
    const others = page.locator('.issue-session-link');
    expect(await others.nth(0).getAttribute('href')).toContain('t=10000');
    expect(await others.nth(1).getAttribute('href')).toContain(`issue=${issueId(0)}`);
    expect(server.world.requests.some((request) => request.includes(`issue=${issueId(0)}&limit=10`))).toBe(true);
    const ofPage = page.getByRole('link', { name: /thanks-for-your-purchase|your-purchase-of/ });
    const search = new URL((await ofPage.getAttribute('href')) ?? '', server.url).searchParams;
    expect(search.get('page')).toBe('/checkout/*/thanks-for-your-purchase-of-many-things');
    await page.getByRole('link', { name: /^All .* sessions$/ }).click();
    await page.waitForURL((url) => url.pathname.endsWith('/sessions') && url.searchParams.get('issue') === issueId(0));
    await page.getByRole('button', { name: /Remove filter issue/ }).waitFor();
    await close(watched);
  });

  it('resolves, in the next release too, archives, reopens and assigns', async () => {
    withLatest();
    const watched = await open(PAGE);
    const { page } = watched;
    await page.getByRole('button', { name: 'Other ways to resolve' }).click();
    await page.getByRole('menuitem', { name: 'Resolve in the next release' }).click();
    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.getByRole('button', { name: /^Archive/ }).click();
    await page.getByRole('button', { name: 'Reopen' }).waitFor();
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Assign to me' }).click();
    await page.locator('.issue-head').getByText('Administrator').waitFor();
    expect(server.world.issueChanges.map(([, change]) => change)).toEqual([
      { state: 'resolved', resolved_in: 'next_release' },
      { state: 'ongoing' },
      { state: 'archived' },
      { assignee: 'Administrator' },
    ]);
    await close(watched);
  });

  it('shows a failed request as what it is, and opens the network beside its replay', async () => {
    const first = withLatest();
    const [issue] = server.world.issues;
    if (!issue) throw new Error('no issue');
    const request = server.world.events.get(first.id)?.find(({ kind }) => kind === 'request');
    if (!request || issue.latest === null) throw new Error('no request');
    request.data['issue'] = issue.id;
    const title = 'POST /api/orders/{id}/pay: answered 502';
    Object.assign(issue, { title, mechanism: 'request', handled: true, culprit: '/checkout' });
    issue.latest = { ...issue.latest, event: request.id, time_ms: request.time };
    const watched = await open(PAGE);
    const { page } = watched;
    await page.getByRole('heading', { name: 'Request', exact: true }).waitFor();
    await page.getByText('failed request').first().waitFor();
    expect(await page.getByText('handled', { exact: true }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Watch the replay' }).getAttribute('href')).toContain('pane=network');
    expect(await page.locator('.issue-session-link').nth(1).getAttribute('href')).toContain('pane=network');
    await expectAccessible(page);
    await close(watched);
  });

  it('archives until more happens, and pins the priority', async () => {
    withLatest();
    const watched = await open(PAGE);
    const { page } = watched;
    await page.getByRole('button', { name: 'Other ways to archive' }).click();
    await page.getByRole('menuitem', { name: 'Archive until so many' }).click();
    const count = page.getByLabel('Bring it back after');
    await count.fill('0');
    await page.getByText('must be a whole number from 1').waitFor();
    await count.fill('50');
    await page.getByLabel('Within which time').selectOption('within a week');
    await expectAccessible(page);
    await photograph(page, 'issue-archive');
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await page.getByText('until 50 events within 7 days').first().waitFor();
    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.getByRole('button', { name: 'Other ways to archive' }).click();
    await page.getByRole('menuitem', { name: 'Archive until it escalates' }).click();
    await page.getByText('until it escalates', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Reopen' }).click();
    await page.getByRole('button', { name: 'Priority', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Pin as low' }).click();
    await page.getByText('pinned: low priority').waitFor();
    expect(server.world.issueChanges.map(([, change]) => change)).toEqual([
      { state: 'archived', archived_until: { escalating: false, events: 50, days: 7 } },
      { state: 'ongoing' },
      { state: 'archived', archived_until: { escalating: true } },
      { state: 'ongoing' },
      { priority: 'low' },
    ]);
    await close(watched);
  });

  it('says that its latest session has expired, and that there is no such issue', async () => {
    withLatest();
    server.world.events.clear();
    const watched = await open(PAGE);
    await watched.page.getByText('retention time of the latest occurrence').waitFor();
    await expectAccessible(watched.page);
    await watched.page.goto(`${server.url}${LIST}/${'f'.repeat(32)}`);
    await watched.page.getByRole('heading', { name: 'No such issue' }).waitFor();
    await expectAccessible(watched.page);
    await close(watched);
  });
});
