// Two web apps that other people wrote are driven, recorded and replayed: the stage shows what the page showed.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { PETSTORE, RAPIDOC, SWAGGER, type App } from '../src/apps.ts';
import { startChromium } from '../src/chromium.ts';
import { checkReplay, letItSend, moment, type Moment } from '../src/moments.ts';
import { createProject, startProduct, type Product } from '../src/product.ts';
import { startSite, type Site } from '../src/site.ts';

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

async function drive(name: string, app: App, steps: (page: Page) => Promise<Moment[]>): Promise<void> {
  const project = await createProject(product, name);
  const tag = `<script defer src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"></script>`;
  const site: Site = await startSite(app.folders, { '/index.html': app.html, '/petstore.json': PETSTORE }, tag);
  const page = await chromium.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(site.url);
  const moments = await steps(page);
  await letItSend(page, product, project);
  await page.close();
  await site.close();
  await checkReplay(product, chromium, project, moments, name);
}

test('Swagger UI', async () => {
  await drive('swagger-ui', SWAGGER, async (page) => {
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
  await drive('rapidoc', RAPIDOC, async (page) => {
    await page.waitForFunction(() => document.querySelector('rapi-doc')?.shadowRoot?.textContent?.includes('All pets'));
    const moments = [await moment(page, 'loaded')];
    await page.getByText('All pets').first().click();
    moments.push(await moment(page, 'opened'));
    return moments;
  });
});
