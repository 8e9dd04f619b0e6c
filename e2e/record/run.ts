// Drives real pages with the real recorder and writes every acknowledged batch, as posted, to the file that is named.
// `loadtest record` runs this and packs what comes out. Records: length and name of the visit, length and body of the batch.
import { writeFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { PETSTORE, RAPIDOC, SWAGGER, type App } from '../src/apps.ts';
import { startChromium } from '../src/chromium.ts';
import { createProject, freePort, startProduct } from '../src/product.ts';
import { startSite, type Site } from '../src/site.ts';
import { startCapture } from './capture.ts';
import { REPORT_PAGE } from './report.ts';
import { VISITS, type Addresses, type Visit } from './visits.ts';

const AT_ONCE = 4;
const output = process.argv[2];
if (!output) throw new Error('usage: npm run record -- FILE');

const [publicPort, port] = [await freePort(), await freePort()];
const publicUrl = `http://127.0.0.1:${publicPort}`;
const product = await startProduct({ port, env: { PLAYHEAD_PUBLIC_URL: publicUrl } });
const capture = await startCapture(publicPort, port);
const chromium = await startChromium();
const sites: Site[] = [];
/** By session id. */
const names = new Map<string, string>();

async function site(name: string, app: App): Promise<string> {
  const { public_key } = await createProject(product, name);
  const tag = `<script defer src="${publicUrl}/sdk/playhead.js" data-key="${public_key}"></script>`;
  const started = await startSite(app.folders, { '/index.html': app.html, '/petstore.json': PETSTORE }, tag);
  sites.push(started);
  return started.url;
}

async function visit(browser: Browser, name: string, steps: Visit, at: Addresses): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await steps(page, at, context);
  const stored = await page.evaluate(() => Object.values(localStorage).join(' '));
  const session = /\b[0-9a-f]{32}\b/.exec(stored)?.[0];
  if (!session) throw new Error(`${name}: the page holds no session`);
  names.set(session, name);
  await page.close({ runBeforeUnload: false });
  // What is sent on the way out is still under way.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await context.close();
  process.stderr.write(`${name} recorded\n`);
}

const length = (bytes: Buffer): Buffer => {
  const four = Buffer.alloc(4);
  four.writeUInt32LE(bytes.length);
  return four;
};

try {
  const at: Addresses = {
    shop: `${publicUrl}/demo`,
    swagger: await site('swagger', SWAGGER),
    rapidoc: await site('rapidoc', RAPIDOC),
    report: await site('report', { folders: [], html: REPORT_PAGE }),
  };
  const waiting = Object.entries(VISITS);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await visit(chromium, next[0], next[1], at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const chunks = capture.bodies.flatMap((body) => {
    const header = JSON.parse(body.subarray(0, body.indexOf(10)).toString()) as { session: string };
    const name = Buffer.from(names.get(header.session) ?? 'unknown');
    return [length(name), name, length(body), body];
  });
  writeFileSync(output, Buffer.concat(chunks));
} finally {
  await chromium.close();
  await Promise.all(sites.map((each) => each.close()));
  await capture.close();
  await product.remove();
}
