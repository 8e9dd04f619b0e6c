// Web apps that other people wrote, as npm packages ship them, with something to show.
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const folder = (name: string): string => dirname(require.resolve(`${name}/package.json`));

export interface App {
  folders: string[];
  html: string;
}

/** What both apps show. */
export const PETSTORE = JSON.stringify({
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

export const SWAGGER: App = {
  folders: [folder('swagger-ui-dist')],
  html: `<!doctype html><html><head><meta charset="utf-8"><title>Pet shop</title>
<link rel="stylesheet" href="/swagger-ui.css"></head><body><div id="ui"></div>
<script src="/swagger-ui-bundle.js"></script><script>SwaggerUIBundle({url: '/petstore.json', dom_id: '#ui'})</script></body></html>`,
};

export const RAPIDOC: App = {
  folders: [join(folder('rapidoc'), 'dist')],
  html: `<!doctype html><html><head><meta charset="utf-8"><title>Pet shop</title>
<script type="module" src="/rapidoc-min.js"></script></head><body>
<rapi-doc spec-url="/petstore.json" render-style="view" load-fonts="false" show-header="false"></rapi-doc></body></html>`,
};
