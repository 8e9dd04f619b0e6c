// Moments of a live page, kept to be compared with their replay: visible text, element boxes and pixels.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { missing, pixelDifference, pictureOfStage, boxesOfPage, boxesOfStage, type Box } from './likeness.ts';
import { signIn } from './chromium.ts';
import { events, pause, read, until, type Product, type Project } from './product.ts';

const OUTPUT = join(import.meta.dirname, '..', 'output');

/** Masked fields and edges of letters differ; more than this is another look. */
const MAX_PIXEL_SHARE = 0.05;

export interface Moment {
  name: string;
  /** Milliseconds since the epoch, by the page's clock. */
  at: number;
  boxes: Box[];
  picture: Buffer;
}

/** Waits until the page has settled, then notes what it shows. */
export async function moment(page: Page, name: string): Promise<Moment> {
  // What was hovered goes back by transitions, so the pointer leaves before the wait.
  await page.mouse.move(5, 5);
  let boxes = await boxesOfPage(page);
  await until(`${name} at rest`, async () => {
    await pause(1_500);
    const before = JSON.stringify(boxes);
    boxes = await boxesOfPage(page);
    return JSON.stringify(boxes) === before;
  });
  const at = await page.evaluate(() => Date.now());
  const picture = await page.screenshot({ animations: 'disabled' });
  if (boxes.length < 6) throw new Error(`${name}: the live page shows next to nothing`);
  await pause(300);
  return { name, at, boxes, picture };
}

/** Waits until the recorder has sent what it holds; how it sends when a page closes is tried elsewhere. */
export async function letItSend(page: Page, product: Product, project: Project): Promise<void> {
  const name = `all of it at ${Date.now()}`;
  await page.evaluate((last) => (window as unknown as Recorded).playhead.track(last), name);
  await until('the last batch', async () => {
    const session = (await read(product, project, '/sessions?limit=1')).items[0];
    const customs = session ? await events(product, project, session.id, 'custom') : [];
    return customs.some((event) => event.data.name === name);
  });
}

interface Recorded {
  playhead: { track(name: string): void };
}

/** Opens the newest session at each moment and fails unless the stage shows what the page showed. Writes pictures to `output`. */
export async function checkReplay(
  product: Product,
  chromium: Browser,
  project: Project,
  moments: Moment[],
  app: string,
): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  const { session, manifest } = await wholeRecording(product, project, moments[moments.length - 1]!.at);
  const offset = manifest.streams[0].clock_offset_ms;
  // The colours of whoever watches are the machine's own: an emulated scheme would reach into the recorded page.
  const page = await chromium.newPage({
    viewport: { width: 1900, height: 1300 },
    reducedMotion: 'reduce',
    colorScheme: null,
  });
  await signIn(page, product);
  for (const { name, at, boxes, picture } of moments) {
    const t = Math.round(at + offset - manifest.started_at);
    await page.goto(`${product.url}/p/${project.project_id}/sessions/${session.id}?t=${t}`);
    await until(`${app} at "${name}" on the stage`, async () => shownAlike(boxes, await boxesOfStage(page)));
    const path = (kind: string): string => join(OUTPUT, `${app}-${name}-${kind}.png`);
    await page.screenshot({ path: path('dashboard') });
    const replayed = await pictureOfStage(page);
    writeFileSync(path('live'), picture);
    writeFileSync(path('replayed'), replayed);
    const share = pixelDifference(picture, replayed);
    console.log(
      `${app} ${name}: ${boxes.length} texts and boxes alike; ${(100 * share).toFixed(2)} % of pixels differ`,
    );
    if (share > MAX_PIXEL_SHARE) throw new Error(`${app} at "${name}" is of other colours: see ${path('replayed')}`);
  }
  await page.close();
}

function shownAlike(live: Box[], shown: Box[]): true {
  const gone = missing(live, shown);
  if (gone.length === 0) return true;
  throw new Error(`${gone.length} of ${live.length} not shown alike, such as ${JSON.stringify(gone.slice(0, 3))}`);
}

async function wholeRecording(product: Product, project: Project, lastAt: number): Promise<any> {
  const session = await until('the session', async () => (await read(product, project, '/sessions?limit=1')).items[0]);
  const manifest = await until('the whole recording', async () => {
    const found = await read(product, project, `/sessions/${session.id}/replay`);
    return found.ended_at >= lastAt && found;
  });
  if (manifest.streams.length !== 1) throw new Error(`${manifest.streams.length} streams where one page was recorded`);
  return { session, manifest };
}
