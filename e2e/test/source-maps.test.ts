// The error of a bundle that Vite minified is shown as it was written, whether its map was there before or comes after.
import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildMinified } from '../src/bundle.ts';
import { signIn, startChromium } from '../src/chromium.ts';
import {
  ADMIN_TOKEN,
  BINARY,
  call,
  createProject,
  read,
  startProduct,
  until,
  type Product,
  type Project,
} from '../src/product.ts';
import { startSite } from '../src/site.ts';

const run = promisify(execFile);
/** The line of `receiptOf` that fails, in `apps/minified/src/cart.ts`. */
const FAILS_AT = 16;
/** A map counts for errors that come a minute after its upload. */
const COUNTS_AFTER_MS = 61_000;

let product: Product;
let chromium: Browser;

beforeAll(async () => {
  product = await startProduct({ demo: false });
  chromium = await startChromium();
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

/** `playhead sourcemaps`, as in a pipeline. */
async function sourcemaps(...words: string[]): Promise<string> {
  const env = { ...process.env, PLAYHEAD_ADMIN_TOKEN: ADMIN_TOKEN };
  return (await run(BINARY, ['sourcemaps', ...words], { env })).stdout;
}

const upload = (project: Project, folder: string, ...words: string[]) =>
  sourcemaps('upload', '--url', product.url, '--project', project.project_id, ...words, folder);

/** A project that takes errors of pages on this machine. */
const shop = (name: string): Promise<Project> =>
  createProject(product, name, { error_filters_off: ['localhost', 'bot'] });

/** Deploys the folder without maps, clicks what fails, and returns the issue. */
async function breakIt(project: Project, folder: string, release: string): Promise<any> {
  const tag = `<script src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"${release && ` data-release="${release}"`}></script>`;
  const site = await startSite([folder], {}, tag);
  const page = await (await chromium.newContext()).newPage();
  await page.goto(site.url);
  await page.click('#pay');
  const issue = await until('the issue', async () => (await read(product, project, '/issues')).issues[0]);
  await page.context().close();
  await site.close();
  return issue;
}

async function stackOf(project: Project, issue: any): Promise<any> {
  return read(product, project, `/sessions/${issue.latest.session}/events/${issue.latest.event}/stack`);
}

async function openIssue(project: Project, issue: any): Promise<Page> {
  const page = await (await chromium.newContext({ viewport: { width: 1440, height: 1000 } })).newPage();
  await signIn(page, product);
  await page.goto(`${product.url}/p/${project.project_id}/issues/${issue.id}`);
  return page;
}

async function showsSource(page: Page): Promise<void> {
  const stack = page.locator('#stack');
  await stack.getByText('receiptOf').first().waitFor();
  await stack.getByText(`cart.ts:${FAILS_AT}:`).first().waitFor();
  const called = stack.locator('.source li.now').first();
  expect(await called.innerText()).toContain('order.receipt!.number');
  expect(await stack.locator('.source').first().locator('li').count()).toBeGreaterThanOrEqual(7);
}

async function scriptOf(folder: string): Promise<string> {
  const [script] = (await readdir(join(folder, 'assets'))).filter((name) => name.endsWith('.js'));
  return readFile(join(folder, 'assets', script!), 'utf8');
}

test('a map that is uploaded after the error makes its stack readable', async () => {
  const folder = await buildMinified();
  expect(await scriptOf(folder)).not.toContain('receiptOf');
  const project = await shop('maps-by-release');
  const issue = await breakIt(project, folder, 'shop@2.4.1');

  const before = await stackOf(project, issue);
  expect(before.frames.map((frame: any) => frame.missing)).toContain('no_map');
  const page = await openIssue(project, issue);
  await page.getByText('There is no source map of assets/').waitFor();
  const command = `playhead sourcemaps upload --url ${product.url} --project ${project.project_id} --release shop@2.4.1 dist`;
  await page.getByText(command).waitFor();

  expect(await upload(project, folder, '--release', 'shop@2.4.1')).toContain('1 source maps are uploaded');
  const after = await stackOf(project, issue);
  const [thrown, called] = after.frames;
  expect(thrown.original).toMatchObject({ function: 'receiptOf', line: FAILS_AT });
  expect(thrown.original.file).toMatch(/src\/cart\.ts$/);
  expect(called.original.file).toMatch(/src\/cart\.ts$/);
  const functions = after.frames.map((frame: any) => frame.original?.function);
  expect(functions).toContain('ShoppingCart.checkOut');
  await page.reload();
  await showsSource(page);
  // It does not regroup, at once or for what comes within the minute.
  expect((await read(product, project, '/issues')).issues.map((known: any) => known.id)).toEqual([issue.id]);
  expect(issue.culprit).not.toContain('receiptOf');

  await page.goto(`${product.url}/p/${project.project_id}/sessions/${issue.latest.session}?pane=errors`);
  await page.locator('.error-row').first().click();
  await page.locator('.detail .source li.now').getByText('order.receipt!.number').waitFor();
  await page.context().close();
  await rm(folder, { recursive: true });
});

test('an error of a bundle whose map was there a minute before is grouped by what somebody wrote', async () => {
  const folder = await buildMinified();
  const project = await shop('maps-that-group');
  await upload(project, folder, '--release', 'shop@2.5.0');
  await new Promise((resolve) => setTimeout(resolve, COUNTS_AFTER_MS));
  const issue = await breakIt(project, folder, 'shop@2.5.0');
  expect(issue.culprit).toMatch(/^receiptOf \(.*\/src\/cart\.ts\)$/);
  const page = await openIssue(project, issue);
  await page.getByText(issue.culprit).first().waitFor();
  await page.context().close();
  await rm(folder, { recursive: true });
}, 180_000);

test('with debug ids a map is found without a release', async () => {
  const folder = await buildMinified();
  expect(await sourcemaps('inject', folder)).toContain('1 bundles have debug ids now');
  const project = await shop('maps-by-debug-id');
  await upload(project, folder);
  const [map] = (await read(product, project, '/source-maps')).items;
  expect(map.release).toBe(null);
  expect(await scriptOf(folder)).toContain(`//# debugId=${map.debug_id}`);

  const issue = await breakIt(project, folder, '');
  const { frames, release } = await stackOf(project, issue);
  expect(release).toBe(null);
  expect(frames[0].original).toMatchObject({ function: 'receiptOf', line: FAILS_AT });
  const page = await openIssue(project, issue);
  await showsSource(page);
  await page.context().close();
  await rm(folder, { recursive: true });
});

test('what is missing or broken is told', async () => {
  const folder = await buildMinified();
  const project = await shop('maps-refused');
  await expect(upload(project, folder)).rejects.toThrow('it has no debug id; run `playhead sourcemaps inject`');
  const maps = (await readdir(join(folder, 'assets'))).filter((name) => name.endsWith('.map'));
  for (const name of maps) await rm(join(folder, 'assets', name));
  await expect(upload(project, folder, '--release', '1')).rejects.toThrow(`it names the source map ${maps[0]}`);
  await rm(folder, { recursive: true });
});
