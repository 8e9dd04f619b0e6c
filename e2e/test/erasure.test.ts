// Deleting a session or a user: gone at once, stays gone while the page still sends, and gone from the store's files.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newSession, newStream, pageSignal, sendBatch } from '../src/batch.ts';
import { call, createProject, events, read, startProduct, until, type Product, type Project } from '../src/product.ts';

let product: Product;
let project: Project;

beforeAll(async () => {
  product = await startProduct({ demo: false });
  project = await createProject(product);
});

afterAll(async () => {
  await product?.remove();
});

/** How many files of the store and of the blobs hold a text. */
function filesWith(text: string): number {
  const folders = ['store', 'blobs'].map((name) => join(product.data, name));
  try {
    return execFileSync('grep', ['-rlaF', text, ...folders])
      .toString()
      .trim()
      .split('\n').length;
  } catch {
    return 0;
  }
}

async function record(session: string, stream: string, seq: number, user: string, mark: string): Promise<void> {
  const now = Date.now();
  await sendBatch(product, project, {
    session,
    stream,
    seq,
    from: now,
    to: now,
    signals: [
      ...(seq === 0
        ? [
            pageSignal(now, `http://shop.example/${mark}`),
            { k: 'identify', t: now, id: user, email: `${user}@example.com` },
          ]
        : []),
      { k: 'custom', t: now, name: mark },
    ],
    dom: [
      { type: 4, timestamp: now, data: { href: `http://shop.example/${mark}`, width: 800, height: 600 } },
      {
        type: 2,
        timestamp: now,
        data: { node: { type: 0, id: 1, childNodes: [] }, initialOffset: { left: 0, top: 0 } },
      },
    ],
    key: true,
  });
}

const seen = (session: string) =>
  until('the session', async () => (await read(product, project, `/sessions/${session}`)).counts.custom_events > 0);

const erase = (path: string) =>
  call(product, `/api/v1/projects/${project.project_id}${path}`, { method: 'DELETE', token: project.secret_key });

const status = async (path: string) =>
  (await call(product, `/api/v1/projects/${project.project_id}${path}`, { token: project.secret_key })).status;

test('a session that is still sending', async () => {
  const [session, stream, mark] = [newSession(), newStream(), `mark-${newStream()}`];
  const [bystander, other] = [newSession(), `other-${newStream()}`];
  await record(session, stream, 0, `user-${mark}`, mark);
  await record(bystander, newStream(), 0, `user-${other}`, other);
  await seen(session);
  await seen(bystander);
  const manifest = await read(product, project, `/sessions/${session}/replay`);
  const segment = manifest.streams[0].segments[0].href;
  expect((await call(product, segment, { token: project.secret_key })).status).toBe(200);

  expect([200, 202, 204]).toContain((await erase(`/sessions/${session}`)).status);
  expect([404, 410]).toContain(await status(`/sessions/${session}`));
  expect([404, 410]).toContain(await status(`/sessions/${session}/events`));
  expect([404, 410]).toContain((await call(product, segment, { token: project.secret_key })).status);
  const replay = await call(product, `/api/v1/projects/${project.project_id}/sessions/${session}/replay`, {
    token: project.secret_key,
  });
  if (replay.ok) expect(((await replay.json()) as any).state).toBe('deleted');
  else expect([404, 410]).toContain(replay.status);

  await record(session, stream, 1, `user-${mark}`, mark);
  await record(session, stream, 2, `user-${mark}`, mark);
  await record(bystander, newStream(), 0, `user-${other}`, other);
  await until(
    'the bystander goes on',
    async () => (await read(product, project, `/sessions/${bystander}`)).counts.custom_events === 2,
  );
  const listed = (await read(product, project, '/sessions')).items.map((item: any) => item.id);
  expect(listed).toContain(bystander);
  expect(listed).not.toContain(session);
  expect([404, 410]).toContain(await status(`/sessions/${session}`));
  expect(filesWith(other), 'a bystander is still stored (so that looking for bytes means something)').toBeGreaterThan(
    0,
  );
  await until('the bytes are gone', async () => filesWith(mark) === 0);
  expect(await events(product, project, bystander)).not.toEqual([]);
});

test('a user with two sessions', async () => {
  const user = `victim-${newStream()}`;
  const [one, two, bystander] = [newSession(), newSession(), newSession()];
  await record(one, newStream(), 0, user, 'first');
  await record(two, newStream(), 0, user, 'second');
  await record(bystander, newStream(), 0, `not-${newStream()}`, 'third');
  for (const session of [one, two, bystander]) await seen(session);
  const answer = await erase(`/users/${encodeURIComponent(`${user}@example.com`)}`);
  expect([200, 202, 204]).toContain(answer.status);
  await until('both are gone', async () => {
    const codes = await Promise.all([one, two].map((session) => status(`/sessions/${session}`)));
    return codes.every((code) => code === 404 || code === 410);
  });
  expect(await status(`/sessions/${bystander}`)).toBe(200);
  await until('the bytes are gone', async () => filesWith(user) === 0);
});
