// Starting and stopping: each refusal is one clear message and a status that is not zero.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { newSession, newStream, pageSignal, sendBatch } from '../src/batch.ts';
import { createProject, freePort, read, startProduct, startRefused, until, type Product } from '../src/product.ts';

const running: Product[] = [];

afterEach(async () => {
  for (const product of running.splice(0)) await product.remove();
});

async function start(options = {}): Promise<Product> {
  const product = await startProduct({ demo: false, ...options });
  running.push(product);
  return product;
}

test('Ctrl-C ends it cleanly', async () => {
  const product = await start();
  expect(await product.stop()).toBe(0);
});

test('a data folder in use is refused, by name', async () => {
  const product = await start();
  const second = await startRefused(product.data, await freePort());
  expect(second.code).not.toBe(0);
  expect(second.output).toContain(product.data);
  expect(second.output).toMatch(/another|in use|locked/i);
});

test('a port in use is refused, by number', async () => {
  const product = await start();
  expect(await product.stop()).toBe(0);
  const port = await freePort();
  const occupant = createServer().listen(port, '127.0.0.1');
  const second = await startRefused(product.data, port);
  occupant.close();
  expect(second.code).not.toBe(0);
  expect(second.output).toContain(String(port));
});

test('data of a newer version is refused and left alone', async () => {
  const product = await start();
  expect(await product.stop()).toBe(0);
  const file = readdirSync(product.data).find((name) => /format|version/i.test(name));
  expect(file, 'the data folder says its format version').toBeDefined();
  const path = join(product.data, file!);
  const before = await readFile(path, 'utf8');
  await writeFile(path, before.replace(/\d+/, '999'));
  const refused = await startRefused(product.data, await freePort());
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(/newer/i);
  await writeFile(path, before);
  const again = await start({ data: product.data });
  expect(again.url).toBeTruthy();
});

test('a disk without room is refused, by its size, and what was acknowledged is there when it has room again', async () => {
  const first = await start();
  const project = await createProject(first);
  const [session, now] = [newSession(), Date.now()];
  const signals = [pageSignal(now)];
  await sendBatch(first, project, { session, stream: newStream(), seq: 0, from: now, to: now, signals });
  // Ends without a flush: the batch is in the log alone.
  first.process.kill('SIGKILL');
  await first.stop();
  const refused = await startRefused(first.data, await freePort(), {
    PLAYHEAD_LOG__MIN_FREE_BYTES: String(Number.MAX_SAFE_INTEGER),
  });
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(/bytes free and needs 9007199254740991/);
  const again = await start({ data: first.data });
  await until('the session', async () => (await read(again, project, `/sessions/${session}`)).id === session);
});

test('a setting that does not exist is refused before anything is opened', async () => {
  const data = join((await start()).data, '..', 'other');
  await mkdir(data, { recursive: true });
  const config = join(data, 'playhead.toml');
  await writeFile(config, 'listne = "x"\n');
  const refused = await startRefused(join(data, 'data'), await freePort(), { PLAYHEAD_GATEWAY__NO_SUCH_SETTING: '1' });
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(/no_such_setting/i);
});
