// Main-thread cost of the SDK against bare rrweb on a mutation-heavy page, and the sizes of what is shipped. Prints JSON.
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { gzipSync, inflateSync } from 'node:zlib';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { html, work } from './page.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const LOAD = { frames: 240, changesPerFrame: 60 };
const ROWS = 500;
const KEY = `phk_${'0'.repeat(40)}`;
const dist = new URL('../dist/script/', import.meta.url);

const bare = await build({
  stdin: {
    contents: `import { record } from '@rrweb/record'; window.bareEvents = 0; record({ emit() { window.bareEvents++; } });`,
    resolveDir: new URL('..', import.meta.url).pathname,
  },
  bundle: true,
  minify: true,
  format: 'iife',
  write: false,
});

const variants = {
  none: '',
  rrweb: '<script defer src="/bare.js"></script>',
  playhead: `<script defer src="/sdk/playhead.js" data-key="${KEY}"></script>`,
};

const received = { batches: 0, bytes: 0, degraded: 0 };

/** A recording that paused itself would look cheap: pauses are counted and printed. */
function take(body) {
  received.batches++;
  received.bytes += body.length;
  const end = body.indexOf(10);
  const { signals } = JSON.parse(body.subarray(0, end));
  const frame = body.subarray(end + 1, end + 1 + signals.len);
  const text = (signals.enc === 'deflate' ? inflateSync(frame) : frame).toString();
  received.degraded += text.split('"reason":"mutation_storm"').length - 1;
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  if (request.method === 'POST') {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (path === '/v1/batches') take(Buffer.concat(chunks));
    response.writeHead(202, { 'Access-Control-Allow-Origin': '*' }).end();
    return;
  }
  if (path === '/bare.js') response.setHeader('Content-Type', 'text/javascript').end(bare.outputFiles[0].text);
  else if (path.startsWith('/sdk/'))
    response.setHeader('Content-Type', 'text/javascript').end(await readFile(new URL(path.slice(5), dist)));
  else response.setHeader('Content-Type', 'text/html').end(html(variants[path.slice(1)] ?? '', ROWS));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});

async function measure(variant) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.longTasks = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.longTasks.push(Math.round(entry.duration));
    }).observe({ type: 'longtask' });
  });
  await page.goto(`${origin}/${variant}`);
  // The first snapshot is not what is measured here.
  await page.waitForTimeout(1_500);
  const session = await context.newCDPSession(page);
  // Processor time of the thread, so that other programs on the machine do not count.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  await session.send('HeapProfiler.collectGarbage');
  const read = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1000]));
  };
  const before = await read();
  await page.evaluate(() => (window.longTasks.length = 0));
  await page.evaluate(work, LOAD);
  const after = await read();
  const longTasks = await page.evaluate(() => window.longTasks);
  await context.close();
  return {
    taskMs: after.TaskDuration - before.TaskDuration,
    scriptMs: after.ScriptDuration - before.ScriptDuration,
    longTasks,
  };
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const runs = { none: [], rrweb: [], playhead: [] };
// Taken in turns, so that a busy moment of the machine meets all of them.
for (let round = 0; round < ROUNDS; round++) {
  for (const variant of Object.keys(runs)) runs[variant].push(await measure(variant));
}
await browser.close();
server.close();

const task = Object.fromEntries(
  Object.entries(runs).map(([name, list]) => [name, Math.round(median(list.map((run) => run.taskMs)))]),
);
const script = Object.fromEntries(
  Object.entries(runs).map(([name, list]) => [name, Math.round(median(list.map((run) => run.scriptMs)))]),
);
const sizes = {};
for (const name of (await readdir(dist)).filter((file) => file.endsWith('.js'))) {
  sizes[name] = gzipSync(await readFile(new URL(name, dist)), { level: 9 }).length;
}
const result = {
  rounds: ROUNDS,
  load: { ...LOAD, rows: ROWS },
  main_thread_ms: task,
  script_ms: script,
  main_thread_ratio: Number((task.playhead / task.rrweb).toFixed(3)),
  recording_ratio: Number(((task.playhead - task.none) / (task.rrweb - task.none)).toFixed(3)),
  long_tasks_over_50_ms: Object.fromEntries(
    Object.entries(runs).map(([name, list]) => [name, list.flatMap((run) => run.longTasks).length]),
  ),
  longest_task_ms: Object.fromEntries(
    Object.entries(runs).map(([name, list]) => [name, Math.max(0, ...list.flatMap((run) => run.longTasks))]),
  ),
  ...received,
  gzip_bytes: sizes,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
