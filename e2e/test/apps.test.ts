// Two web apps that other people wrote are driven, recorded and replayed: the stage shows what the page showed.
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { startChromium } from '../src/chromium.ts';
import { checkReplay, letItSend, moment, type Moment } from '../src/moments.ts';
import { createProject, startProduct, type Product } from '../src/product.ts';
import { startSite, type Site } from '../src/site.ts';

const require = createRequire(import.meta.url);
const folder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

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
  product = await startProduct({ demo: false });
  chromium = await startChromium();
});

afterAll(async () => {
  await chromium?.close();
  await product?.remove();
});

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
  await letItSend();
  await page.close();
  await site.close();
  await checkReplay(product, chromium, project, moments, app);
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
