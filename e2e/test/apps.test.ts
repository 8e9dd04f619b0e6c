// Two web apps that other people wrote are driven, recorded and replayed: the stage shows what the page showed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../src/chromium.ts';
import { missing, pixelDifference, stageOf, textOfPage, textOfStage, type TextBox } from '../src/likeness.ts';
import { createProject, pause, read, startProduct, until, type Product, type Project } from '../src/product.ts';
import { startSite, type Site } from '../src/site.ts';

const require = createRequire(import.meta.url);
const folder = (name: string): string => dirname(require.resolve(`${name}/package.json`));
const OUTPUT = join(import.meta.dirname, '..', 'output');

const PETSTORE = JSON.stringify({
  openapi: '3.0.3',
  info: { title: 'Pet shop', version: '1.2.0', description: 'Pets, orders and *care*.' },
  servers: [{ url: '/api' }],
  paths: Object.fromEntries(
    ['pets', 'orders', 'owners', 'visits', 'clinics'].map((name) => [
      `/${name}`,
      {
        get: {
          tags: [name],
          summary: `All ${name}`,
          parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', default: 20 } }],
          responses: { 200: { description: `The ${name}` } },
        },
        post: { tags: [name], summary: `Add one of the ${name}`, responses: { 201: { description: 'Added' } } },
      },
    ]),
  ),
});

const SWAGGER_PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Pet shop</title>
<link rel="stylesheet" href="/swagger-ui.css"></head><body><div id="ui"></div>
<script src="/swagger-ui-bundle.js"></script><script>SwaggerUIBundle({url: '/petstore.json', dom_id: '#ui'})</script></body></html>`;
const RAPIDOC_PAGE = `<!doctype html><html><head><meta charset="utf-8"><title>Pet shop</title>
<script type="module" src="/rapidoc-min.js"></script></head><body>
<rapi-doc spec-url="/petstore.json" render-style="view" load-fonts="false" show-header="false"></rapi-doc></body></html>`;

let product: Product;
let chromium: Browser;

beforeAll(async () => {
  mkdirSync(OUTPUT, { recursive: true });
  product = await startProduct({ demo: false });
  chromium = await startChromium();
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

interface Moment {
  name: string;
  at: number;
  texts: TextBox[];
  picture: Buffer;
}

async function moment(page: Page, name: string): Promise<Moment> {
  await pause(1_200);
  await page.mouse.move(5, 5);
  await pause(300);
  const [texts, at] = [await textOfPage(page), await page.evaluate(() => Date.now())];
  const picture = await page.screenshot({ animations: 'disabled' });
  expect(texts.length, `${name}: the live page shows text`).toBeGreaterThan(5);
  await pause(300);
  return { name, at, texts, picture };
}

async function recordedSession(project: Project): Promise<any> {
  return until('the session', async () => (await read(product, project, '/sessions?limit=1')).items[0]);
}

async function checkReplay(project: Project, moments: Moment[], app: string): Promise<void> {
  const session = await recordedSession(project);
  const last = moments[moments.length - 1]!;
  const manifest = await until('the whole recording', async () => {
    const found = await read(product, project, `/sessions/${session.id}/replay`);
    return found.ended_at >= last.at && found;
  });
  expect(manifest.streams).toHaveLength(1);
  const offset = manifest.streams[0].clock_offset_ms;
  const page = await chromium.newPage({ viewport: { width: 1900, height: 1300 }, reducedMotion: 'reduce' });
  await page.goto(product.signInLink());
  await page.waitForURL(/\/p\//);
  for (const { name, at, texts, picture } of moments) {
    const t = Math.round(at + offset - manifest.started_at);
    await page.goto(`${product.url}/p/${project.project_id}/sessions/${session.id}?t=${t}`);
    const lost = await until(
      `${app} at "${name}" on the stage`,
      async () => {
        const shown = await textOfStage(page);
        const gone = missing(texts, shown);
        if (gone.length > 0) throw new Error(`not shown alike: ${JSON.stringify(gone.slice(0, 3))} of ${texts.length}`);
        return true;
      },
      20_000,
    );
    expect(lost).toBe(true);
    const stage = await stageOf(page);
    const replayed = await stage.locator('iframe').last().screenshot({ animations: 'disabled' });
    writeFileSync(join(OUTPUT, `${app}-${name}-live.png`), picture);
    writeFileSync(join(OUTPUT, `${app}-${name}-replayed.png`), replayed);
    await page.screenshot({ path: join(OUTPUT, `${app}-${name}-dashboard.png`) });
    console.log(
      `${app} ${name}: ${texts.length} texts alike; ${(100 * pixelDifference(picture, replayed)).toFixed(2)} % of pixels differ`,
    );
  }
  await page.close();
}

async function drive(
  app: string,
  folders: string[],
  html: string,
  steps: (page: Page) => Promise<Moment[]>,
): Promise<void> {
  const project = await createProject(product, app);
  const tag = `<script defer src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"></script>`;
  const site: Site = await startSite(folders, { '/index.html': html, '/petstore.json': PETSTORE }, tag);
  const page = await chromium.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(site.url);
  const moments = await steps(page);
  await page.close();
  await site.close();
  await checkReplay(project, moments, app);
}

test('Swagger UI', async () => {
  await drive('swagger-ui', [folder('swagger-ui-dist')], SWAGGER_PAGE, async (page) => {
    await page.waitForSelector('#operations-pets-get_pets');
    const moments = [await moment(page, 'loaded')];
    await page.click('#operations-pets-get_pets .opblock-summary-control');
    await page.waitForSelector('#operations-pets-get_pets .opblock-body');
    moments.push(await moment(page, 'opened'));
    await page.click('#operations-tag-orders .expand-operation');
    moments.push(await moment(page, 'collapsed'));
    return moments;
  });
});

test('RapiDoc, which lives in shadow roots with adopted style sheets', async () => {
  await drive('rapidoc', [join(folder('rapidoc'), 'dist')], RAPIDOC_PAGE, async (page) => {
    await page.waitForFunction(() => document.querySelector('rapi-doc')?.shadowRoot?.textContent?.includes('All pets'));
    const moments = [await moment(page, 'loaded')];
    await page.getByText('All pets').first().click();
    moments.push(await moment(page, 'opened'));
    return moments;
  });
});
