// A shop's backend as a team would write it: Node's own HTTP server, OpenTelemetry's SDK configured by its environment variables.
// It serves the page, too, so that the page's requests go to its own origin.
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');

const sdk = new NodeSDK({ instrumentations: [new HttpInstrumentation()] });
sdk.start();

const { createServer } = require('node:http');
const { SpanKind, SpanStatusCode, trace } = require('@opentelemetry/api');

const tracer = trace.getTracer('orders');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function query(statement, ms) {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': statement, 'db.password': 'hunter2' };
  return tracer.startActiveSpan('SELECT orders', { kind: SpanKind.CLIENT, attributes }, async (span) => {
    await pause(ms);
    span.end();
  });
}

async function orders(response) {
  await query("SELECT * FROM orders WHERE customer = 'Ann'", 30);
  response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
}

async function pay(response) {
  await tracer.startActiveSpan('<img src=x onerror=alert(1)>', async (span) => {
    await pause(10);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
    span.end();
  });
  response.writeHead(502).end('no');
}

const server = createServer((request, response) => {
  if (request.url.startsWith('/api/orders')) return void orders(response);
  if (request.url.startsWith('/api/pay')) return void pay(response);
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(`<!doctype html><title>Orders</title>${process.env.PAGE_TAG}<h1>Orders</h1>`);
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));

process.once('SIGTERM', async () => {
  server.closeAllConnections();
  await sdk.shutdown();
  process.exit(0);
});
