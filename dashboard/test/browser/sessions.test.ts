import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asksWithin, close, expectAccessible, launch, openPage, photograph, type WatchedPage } from '../server/browser';
import { makeWorld, startServer, type TestServer } from '../server/server';
import { makeSession } from '../server/sessions';

let browser: Browser;
let server: TestServer;
const LIST = '/p/0123456789abc/sessions';
const many = (count: number, now = Date.now()) => Array.from({ length: count }, (_, index) => makeSession(index, now));

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

async function open(
  path: string,
  width = 1440,
  scheme: 'light' | 'dark' = 'light',
  ownClock = false,
): Promise<WatchedPage> {
  const watched = await openPage(browser, { width, scheme });
  if (ownClock) await watched.page.clock.install();
  await watched.page.goto(server.url + path);
  return watched;
}

describe('the sessions page', () => {
  it.each([
    [1440, 'light'],
    [1440, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('is accessible and looks right at %d px, %s', async (width, scheme) => {
    server.world.sessions = many(30);
    Object.assign(server.world.sessions[0] ?? {}, { state: 'live', replay: 'live' });
    const watched = await open(LIST, width, scheme);
    await watched.page.getByText('ana@shop.example').first().waitFor();
    await expectAccessible(watched.page);
    await photograph(watched.page, `sessions-${String(width)}-${scheme}`);
    const overflow = await watched.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await close(watched);
  });

  it('shows a new session within five seconds, above the others and without a reload', async () => {
    server.world.sessions = many(5);
    const watched = await open(LIST, 1440, 'light', true);
    const { page } = watched;
    await page.getByText('ana@shop.example').waitFor();
    const rowOfTop = page.locator('[data-index="0"] .session-link');
    const before = await rowOfTop.getAttribute('data-session');
    await page.evaluate(() => Object.assign(window, { stillTheSamePage: true }));
    const fresh = makeSession(999, Date.now() + 97_000 * 1000, { state: 'live', replay: 'live' });
    await asksWithin(page, 5000, server, () => {
      server.world.sessions = [fresh, ...server.world.sessions];
    });
    await page.locator(`[data-session="${fresh.id}"]`).waitFor();
    expect(await rowOfTop.getAttribute('data-session')).toBe(fresh.id);
    expect(before).not.toBe(fresh.id);
    expect(await page.evaluate(() => 'stillTheSamePage' in window)).toBe(true);
    await page.getByText('1 live', { exact: true }).waitFor();
    await close(watched);
  });

  it('loads further pages by scrolling and draws only rows in sight', async () => {
    server.world.sessions = many(180);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('ana@shop.example').first().waitFor();
    const scrollOn = async () => {
      await page.locator('.sessions-scroll').evaluate((element) => {
        element.scrollTop = element.scrollHeight;
      });
      return page.getByText('180 sessions · that is all').isVisible();
    };
    await expect.poll(scrollOn, { timeout: 60_000, interval: 100 }).toBe(true);
    await page.locator('[data-index="179"]').waitFor();
    expect(await page.locator('.sessions-body [role=row]').count()).toBeLessThan(60);
    const cursors = server.world.requests.filter((request) => request.includes('cursor='));
    expect(cursors.map((request) => /cursor=(\d+)/.exec(request)?.[1])).toEqual(['50', '100', '150']);
    await close(watched);
  });

  it('filters as one types, keeps it in the address, and comes back on reload', async () => {
    server.world.sessions = many(40);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('ana@shop.example').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('rui@');
    await page.waitForURL(/q=rui@/);
    await expect.poll(() => page.locator('.session-link').allInnerTexts()).not.toContain('ana');
    await expect
      .poll(async () => (await page.locator('.session-link').allInnerTexts()).every((text) => text.startsWith('rui@')))
      .toBe(true);
    await page.reload();
    expect(await page.getByLabel('Filter sessions').inputValue()).toBe('rui@');
    await page.getByLabel('Filter sessions').fill('browser:Firefox ');
    const token = page.getByRole('button', { name: 'Remove filter browser: Firefox' });
    await token.waitFor();
    expect(new URL(page.url()).searchParams.get('browser')).toBe('Firefox');
    expect(new URL(page.url()).searchParams.get('q')).toBeNull();
    await token.click();
    await expect.poll(() => new URL(page.url()).search).toBe('');
    await close(watched);
  });

  it('offers known values, and takes one by keyboard', async () => {
    server.world.sessions = many(40);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('ana@shop.example').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('portu');
    await page.getByRole('button', { name: 'country: PT, Portugal' }).waitFor();
    await photograph(page, 'sessions-suggestions');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/country=PT/);
    await close(watched);
  });

  it('has an error mode that is one switch and opens the errors', async () => {
    server.world.sessions = many(20);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('switch', { name: 'Error mode' }).click();
    await page.waitForURL(/errors=true/);
    await expect.poll(() => page.locator('.cell-trouble .chip.error').count()).toBeGreaterThan(0);
    await expect
      .poll(async () => await page.locator('.session-link').first().getAttribute('href'))
      .toContain('pane=errors');
    await close(watched);
  });

  it('filters by form, and says what it cannot read', async () => {
    server.world.sessions = many(20);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('button', { name: 'Filters' }).click();
    await page.getByLabel('Longer than').fill('a while');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('such as 30 s, 2 min, 1 h').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Longer than').fill('2 min');
    await page.getByLabel('Country').fill('PT');
    await photograph(page, 'sessions-filters');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.waitForURL(/min=120000/);
    await page.getByRole('button', { name: 'Remove filter longer than: 2 min 00 s' }).waitFor();
    expect(server.world.requests.some((request) => request.includes('min_duration_ms=120000'))).toBe(true);
    await close(watched);
  });

  it('is driven by keys: j, k, Enter, ?, mod+k', async () => {
    server.world.sessions = many(20);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('ana@shop.example').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const focused = await page.evaluate(() =>
      document.activeElement?.closest('[data-index]')?.getAttribute('data-index'),
    );
    expect(focused).toBe('1');
    await photograph(page, 'sessions-focus');
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor();
    await page.getByText('Next session').waitFor();
    await expectAccessible(page);
    await photograph(page, 'shortcuts');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Keyboard shortcuts' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Control+k');
    await page.keyboard.type('sett');
    await expectAccessible(page);
    await photograph(page, 'palette');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/settings$/);
    await page.goBack();
    await page.getByText('ana@shop.example').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/sessions\/[0-9a-f]{32}/);
    await page.context().close();
  });
});

describe('every state of the list', () => {
  it.each([1440, 390])('empty: what to paste and the demo, at %d px', async (width) => {
    const watched = await open(LIST, width, 'light', true);
    const { page } = watched;
    await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    expect(await page.getByRole('link', { name: 'Try the demo shop' }).getAttribute('href')).toBe('/demo');
    await page.getByRole('button', { name: 'Copy script tag' }).click();
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(server.world.projects[0]?.script_tag);
    await expectAccessible(page);
    await photograph(page, `sessions-empty-${String(width)}`);
    await asksWithin(page, 5000, server, () => {
      server.world.sessions = many(1);
    });
    await page.getByText('ana@shop.example').waitFor();
    await close(watched);
  });

  it('nothing matches: filters can be cleared', async () => {
    server.world.sessions = many(3);
    const watched = await open(`${LIST}?q=nobody`);
    const { page } = watched;
    await page.getByRole('heading', { name: 'No session matches' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByText('ana@shop.example').waitFor();
    await close(watched);
  });

  it('partial: the search goes on by hand', async () => {
    server.world.sessions = many(3);
    server.world.firstPageIsPartial = true;
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('heading', { name: 'Nothing found so far' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Keep searching' }).click();
    await page.getByText('ana@shop.example').waitFor();
    await close(watched);
  });

  it('failed: says why, and recovers by retry', async () => {
    server.world.failures.set('/api/v1/projects/0123456789abc/sessions', 503);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByRole('heading', { name: 'Sessions could not be loaded' }).waitFor();
    await page.getByText('the store does not answer').waitFor();
    await expectAccessible(page);
    await photograph(page, 'sessions-error');
    server.world.failures.clear();
    server.world.sessions = many(3);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('ana@shop.example').waitFor();
    await close(watched);
  });

  it('a failing refresh keeps the rows and says so', async () => {
    server.world.sessions = many(3);
    const watched = await open(LIST);
    const { page } = watched;
    await page.getByText('ana@shop.example').waitFor();
    server.world.failures.set('/api/v1/projects/0123456789abc/sessions', 503);
    await page.getByText('not refreshed: trying again').waitFor();
    expect(await page.locator('.session-link').count()).toBe(3);
    server.world.failures.clear();
    await page.getByText('not refreshed: trying again').waitFor({ state: 'detached' });
    await close(watched);
  });

  it('an unknown project is said to be one', async () => {
    const watched = await open('/p/zzzzzzzzzzzzz/sessions');
    await watched.page.getByRole('heading', { name: 'No such project' }).waitFor();
    await expectAccessible(watched.page);
    await close(watched);
  });
});
