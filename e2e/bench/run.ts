// Figures of the whole product, as JSON on standard output. Takes the release binary and a real Chromium; needs about five minutes.
// `npm run bench -- seeks` makes one part only: starts, visible, error, alerts or seeks.
import { readFile, readdir, stat } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { newSession, newStream, pageSignal, sendBatch } from '../src/batch.ts';
import { signIn, startChromium } from '../src/chromium.ts';
import {
  ADMIN_TOKEN,
  createProject,
  events,
  pause,
  read,
  startProduct,
  until,
  type Product,
  type Project,
} from '../src/product.ts';
import { startReceiver } from '../src/receiver.ts';
import { sendLongRecording } from '../src/recording.ts';
import { startSite } from '../src/site.ts';

type Figures = Record<string, unknown>;

const SEEKS = 60;

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]! * 10) / 10;
}

const spread = (values: number[]): Figures => ({
  n: values.length,
  p50_ms: percentile(values, 0.5),
  p95_ms: percentile(values, 0.95),
  max_ms: percentile(values, 1),
});

const progress = (what: string): void =>
  void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${what}\n`);

async function residentBytes(product: Product): Promise<number> {
  const status = await readFile(`/proc/${product.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return bytes;
}

/** From the start of the process to ready, on an empty folder and on one with data; and what it holds when idle. */
async function starts(): Promise<Figures> {
  const [cold, warm]: number[][] = [[], []];
  let idle = 0;
  for (let round = 0; round < 5; round++) {
    let begun = performance.now();
    let product = await startProduct({ demo: false });
    cold!.push(performance.now() - begun);
    if (round === 0) {
      await pause(10_000);
      idle = await residentBytes(product);
    }
    await product.stop();
    begun = performance.now();
    product = await startProduct({ demo: false, data: product.data });
    warm!.push(performance.now() - begun);
    await product.remove();
  }
  return {
    first_start: spread(cold!),
    second_start: spread(warm!),
    idle_resident_mib: Math.round(idle / 2 ** 20),
    goals: { start_ms: 1000, idle_mib: 64 },
  };
}

/** From the 202 to the event in the API and the frame in the manifest. */
async function visibility(product: Product, project: Project): Promise<Figures> {
  const times: number[] = [];
  for (let n = 0; n < 60; n++) {
    const [session, stream, now] = [newSession(), newStream(), Date.now()];
    const dom = [
      { type: 4, timestamp: now, data: { href: 'http://shop.example/', width: 800, height: 600 } },
      {
        type: 2,
        timestamp: now,
        data: { node: { type: 0, id: 1, childNodes: [] }, initialOffset: { left: 0, top: 0 } },
      },
    ];
    await sendBatch(product, project, {
      session,
      stream,
      seq: 0,
      from: now,
      to: now,
      signals: [pageSignal(now)],
      dom,
      key: true,
    });
    const acknowledged = performance.now();
    await until('a visible batch', async () => {
      const manifest = await read(product, project, `/sessions/${session}/replay`);
      return manifest.streams[0]?.segments.length === 1;
    });
    times.push(performance.now() - acknowledged);
    await pause(37);
  }
  return { ...spread(times), goal_p95_ms: 5000 };
}

const PAGE = `<!doctype html><html><head><title>Bench</title></head><body><h1>Orders</h1><button id="pay">Pay</button>
<script>document.getElementById('pay').onclick = () => { document.body.append('paying '); throw new Error('pay ' + Date.now()); }</script></body></html>`;

/** From a click that throws, in a browser, to the moment that its replay can be fetched whole. */
async function errorToReplay(product: Product, project: Project, chromium: Browser): Promise<Figures> {
  const tag = `<script defer src="${product.url}/sdk/playhead.js" data-key="${project.public_key}"></script>`;
  const site = await startSite([], { '/index.html': PAGE }, tag);
  const page = await chromium.newPage();
  await page.goto(site.url);
  await pause(7_000);
  const session = (await read(product, project, '/sessions?limit=1')).items[0].id;
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    const [at, begun] = [Date.now(), performance.now()];
    await page.click('#pay');
    await until('the error with its replay', async () => {
      const errors = await events(product, project, session, 'error');
      const manifest = await read(product, project, `/sessions/${session}/replay`);
      const segments = manifest.streams.flatMap((stream: any) => stream.segments);
      const covered = segments.some((segment: any) => segment.to_ms + manifest.started_at >= at);
      return errors.length > n && covered;
    });
    times.push(performance.now() - begun);
    await pause(300 + 113 * n);
  }
  await page.close();
  await site.close();
  return { ...spread(times), goal_p95_ms: 5000 };
}

const ENDPOINTS = [
  'cart',
  'order',
  'price',
  'stock',
  'coupon',
  'address',
  'invoice',
  'review',
  'search',
  'return',
].flatMap((thing) => ['list', 'save', 'check'].map((what) => `/api/${thing}/${what}`));

/** From the 202 of what a rule is about to the message that a web hook gets: new issues, and requests of endpoints that fail. */
async function alerts(product: Product, project: Project): Promise<Figures> {
  const receiver = await startReceiver();
  const change = async (method: string, path: string, body: object): Promise<any> => {
    const answer = await fetch(`${product.url}/api/v1/projects/${project.project_id}/alerts/${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const settings = await read(product, project, '/alerts/settings');
  await change('PUT', 'settings', { ...settings, messages_per_hour: 1000 });
  const channel = await change('POST', 'channels', { name: 'bench', settings: { kind: 'webhook', url: receiver.url } });
  const rule = (name: string, condition: object) =>
    change('POST', 'rules', { name, condition, channels: [channel.channel.id] });
  await rule('new', { kind: 'new_issue' });
  for (const path of ENDPOINTS) {
    const limit = { measure: 'error_share', name: `GET ${path}`, trigger_at: 50, minimum: 3 };
    await rule(path, { kind: 'endpoint', window_minutes: 5, limit });
  }
  // What was counted before a rule was there does not trigger it.
  await pause(10_000);
  const told = async (signals: object[], is: (message: any) => boolean): Promise<number> => {
    const now = Date.now();
    const parts = { session: newSession(), stream: newStream(), seq: 0, from: now, to: now };
    await sendBatch(product, project, { ...parts, signals: [pageSignal(now), ...signals] });
    const acknowledged = performance.now();
    await until('the message', async () => receiver.received.some(({ message }) => is(message)), 60_000);
    return performance.now() - acknowledged;
  };
  const [issues, endpoints]: number[][] = [[], []];
  for (const path of ENDPOINTS) {
    const [t, type] = [Date.now(), `Broken${path.replaceAll('/', '_')}`];
    const error = { k: 'error', t, type, message: 'it broke', mechanism: 'onerror' };
    issues!.push(await told([error], ({ rule, title }) => rule === 'new' && title.includes(type)));
    const request = { k: 'request', t, url: `http://shop.example${path}`, method: 'GET', status: 500 };
    const requests = Array.from({ length: 3 }, () => ({ ...request, outcome: 'http_error', duration_ms: 20 }));
    endpoints!.push(await told(requests, ({ rule, transition }) => rule === path && transition === 'triggered'));
    await pause(173);
  }
  receiver.close();
  return { new_issue: spread(issues!), endpoint_error_share: spread(endpoints!), goal_p95_ms: 10_000 };
}

/** From a seek to the first frame of that moment on the stage. */
async function seeks(product: Product, project: Project, chromium: Browser): Promise<Figures> {
  progress('sending an hour of recording');
  const recording = await sendLongRecording(product, project);
  const blobs = join(product.data, 'blobs');
  const live = await until(
    'the whole recording',
    async () => {
      const manifest = await read(product, project, `/sessions/${recording.session}/replay`);
      return manifest.duration_ms > recording.durationMs - 10_000 && manifest;
    },
    60_000,
  );
  const before = { manifest: storedIn(live), folder: await folderBytes(blobs) };
  progress('seeking before compaction');
  const first = await seekTimes(product, project, chromium, recording.session);
  progress('waiting for compaction');
  const compacted = await until(
    'compaction',
    async () => {
      const manifest = await read(product, project, `/sessions/${recording.session}/replay`);
      const objects = new Set(
        manifest.streams.flatMap((s: any) => s.segments.map((g: any) => String(g.object).split('/')[0])),
      );
      return !objects.has('flush') && manifest;
    },
    180_000,
  );
  progress('seeking after compaction');
  const second = await seekTimes(product, project, chromium, recording.session);
  return {
    recording: {
      minutes: recording.durationMs / 60_000,
      raw_mb: Math.round(recording.rawBytes / 1e6),
      nodes: recording.nodes,
      key_frames: recording.keyFrames,
    },
    first_frame_before_compaction: first,
    first_frame_after_compaction: second,
    goal_p95_ms: 500,
    stored_bytes: {
      before_compaction: before.manifest,
      after_compaction: storedIn(compacted),
      blobs_folder_before: before.folder,
    },
  };
}

function storedIn(manifest: any): number {
  const ranges = new Map<string, number>();
  for (const stream of manifest.streams) {
    for (const segment of stream.segments) {
      ranges.set(`${segment.object}:${segment.range[0]}`, segment.range[1] - segment.range[0]);
    }
  }
  return [...ranges.values()].reduce((sum, bytes) => sum + bytes, 0);
}

async function seekTimes(product: Product, project: Project, chromium: Browser, session: string): Promise<Figures> {
  const page = await chromium.newPage({ viewport: { width: 1440, height: 900 } });
  await signIn(page, product);
  await page.goto(`${product.url}/p/${project.project_id}/sessions/${session}?t=0`);
  await page.waitForFunction(() => performance.getEntriesByName('playhead-first-frame').length > 0);
  const [times, builds]: [number[], number[]] = [[], []];
  let state = 12_345;
  for (let n = 0; n < SEEKS; n++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const { ms, cost } = await seek(page, 0.01 + (0.98 * state) / 2 ** 31);
    times.push(ms);
    if (cost) builds.push(cost.total_ms);
  }
  await page.close();
  return { ...spread(times), built_on_the_stage: spread(builds) };
}

/** Clicks on the time line and waits for the stage's first frame of that moment. */
async function seek(page: Page, share: number): Promise<{ ms: number; cost: { total_ms: number } | null }> {
  const box = await page.getByRole('slider', { name: /position/i }).boundingBox();
  if (!box) throw new Error('the time line is not there');
  const begun = await page.evaluate(() => performance.now());
  await page.mouse.click(box.x + share * box.width, box.y + box.height / 2);
  const shown = await page.waitForFunction((since) => {
    const marks = performance.getEntriesByName('playhead-first-frame') as PerformanceMark[];
    const mark = marks.find((each) => each.startTime > since);
    return mark && { at: mark.startTime, cost: mark.detail as { total_ms: number } | null };
  }, begun);
  const { at, cost } = (await shown.jsonValue())!;
  return { ms: at - begun, cost };
}

const PARTS = ['starts', 'visible', 'error', 'alerts', 'seeks'] as const;
const asked = process.argv.slice(2);
const unknown = asked.find((part) => !(PARTS as readonly string[]).includes(part));
if (unknown) throw new Error(`no such part: ${unknown}; there are ${PARTS.join(', ')}`);
const wants = (part: (typeof PARTS)[number]): boolean => asked.length === 0 || asked.includes(part);

const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30) };
const figures: Figures = { machine };
if (wants('starts')) {
  progress('starts');
  figures.starts = await starts();
}
const product = await startProduct({
  demo: false,
  env: { PLAYHEAD_PROCESSOR__SESSION_IDLE_MS: '20000', PLAYHEAD_QUERY_API__OUTBOUND_ALLOW: '["127.0.0.1"]' },
});
const chromium = await startChromium();
try {
  const project = await createProject(product, 'bench');
  if (wants('visible')) {
    progress('acknowledged to visible');
    figures.acknowledged_to_visible = await visibility(product, project);
  }
  if (wants('error')) {
    progress('error to replay');
    const own = await createProject(product, 'bench page');
    figures.error_to_playable_replay = await errorToReplay(product, own, chromium);
  }
  if (wants('alerts')) {
    progress('alerts');
    figures.event_to_alert = await alerts(product, await createProject(product, 'bench alerts'));
  }
  if (wants('seeks')) figures.long_recording = await seeks(product, project, chromium);
  figures.resident_mib_after = Math.round((await residentBytes(product)) / 2 ** 20);
} finally {
  await chromium.close();
  await product.remove();
}
console.log(JSON.stringify(figures, null, 2));
