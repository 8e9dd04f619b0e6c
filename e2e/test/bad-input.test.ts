// What must not work, against the real binary: each refusal has its status, its reason and its CORS headers, and nothing else breaks.
import { deflateSync } from 'node:zlib';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeBatch, newSession, newStream, pageSignal, postBatch, sendBatch } from '../src/batch.ts';
import { call, createProject, events, read, startProduct, until, type Product, type Project } from '../src/product.ts';

let product: Product;
let project: Project;
let stranger: Project;

beforeAll(async () => {
  product = await startProduct({ demo: false });
  project = await createProject(product, 'mine');
  stranger = await createProject(product, 'theirs');
});

afterAll(async () => {
  await product?.remove();
});

const frame = (seq = 0) => {
  const now = Date.now();
  return { session: newSession(), stream: newStream(), seq, from: now, to: now, signals: [pageSignal(now)] };
};

const key = (timestamp: number): object[] => [
  { type: 4, timestamp, data: { href: 'http://shop.example/', width: 800, height: 600 } },
  { type: 2, timestamp, data: { node: { type: 0, id: 1, childNodes: [] }, initialOffset: { left: 0, top: 0 } } },
];

async function refusal(body: Buffer, headers: Record<string, string> = {}): Promise<any> {
  const answer = await postBatch(product, body, { origin: 'http://shop.example', ...headers });
  expect(answer.headers.get('access-control-allow-origin'), 'CORS on a refusal').toMatch(
    /^(\*|http:\/\/shop\.example)$/,
  );
  expect(answer.headers.get('access-control-expose-headers') ?? '').toMatch(/retry-after/i);
  expect(answer.headers.get('content-type')).toMatch(/application\/problem\+json/);
  return { status: answer.status, ...((await answer.json()) as object) };
}

test('keys', async () => {
  const cases: [string, Record<string, unknown>][] = [
    ['no key', { key: undefined }],
    ['nonsense', { key: 'nonsense' }],
    ['a key with a changed character', { key: project.public_key.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }],
    ['a forged token', { key: undefined, token: 'a.b.c' }],
  ];
  for (const [name, header] of cases) {
    const problem = await refusal(encodeBatch(project, { ...frame(), header }));
    expect(problem.status, name).toBe(401);
    expect(problem.type, name).toMatch(/unknown-key|bad-token/);
  }
});

test('a token of another project or session', async () => {
  const [session, stream] = [newSession(), newStream()];
  const answer = await fetch(`${product.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: JSON.stringify({ key: project.public_key, session, stream }),
  });
  expect(answer.status).toBe(200);
  const { token } = (await answer.json()) as any;
  const own = { ...frame(), session, stream, header: { key: undefined, token } };
  expect((await postBatch(product, encodeBatch(project, own))).status).toBe(202);
  const other = await refusal(encodeBatch(project, { ...own, session: newSession() }));
  expect(other).toMatchObject({ status: 403 });
  const both = await refusal(encodeBatch(project, { ...own, header: { key: stranger.public_key, token } }));
  expect(both.status).toBe(403);
  const forged = token.slice(0, -3) + (token.endsWith('AAA') ? 'BBB' : 'AAA');
  expect(await refusal(encodeBatch(project, { ...own, header: { key: undefined, token: forged } }))).toMatchObject({
    status: 401,
  });
});

test('headers', async () => {
  const cases: [string, Buffer, string][] = [
    ['not JSON', Buffer.from('nonsense\n'), 'header'],
    ['too long', Buffer.concat([Buffer.alloc(8_000, 32), Buffer.from('\n')]), 'header'],
    ['unknown version', encodeBatch(project, { ...frame(), header: { v: 9 } }), 'v'],
    ['bad session', encodeBatch(project, { ...frame(), header: { session: 'x' } }), 'session'],
    ['negative seq', encodeBatch(project, { ...frame(), header: { seq: -1 } }), 'seq'],
    ['wrong length', Buffer.concat([encodeBatch(project, frame()), Buffer.from('x')]), 'dom'],
  ];
  for (const [name, body, field] of cases) {
    expect(await refusal(body), name).toMatchObject({ status: 400, field });
  }
});

test('a body over the limit', async () => {
  const body = Buffer.concat([encodeBatch(project, frame()), Buffer.alloc(1 << 20)]);
  expect(await refusal(body)).toMatchObject({ status: 413 });
  expect((await postBatch(product, encodeBatch(project, frame()))).status).toBe(202);
});

test('a disabled project is refused within ten seconds, and comes back', async () => {
  const doomed = await createProject(product, 'doomed');
  const set = (disabled: boolean) =>
    call(product, `/api/v1/projects/${doomed.project_id}`, { method: 'PATCH', body: JSON.stringify({ disabled }) });
  expect((await postBatch(product, encodeBatch(doomed, frame()))).status).toBe(202);
  expect((await set(true)).status).toBe(200);
  await until(
    'the refusal',
    async () => (await postBatch(product, encodeBatch(doomed, frame()))).status === 403,
    10_000,
  );
  expect((await set(false)).status).toBe(200);
  await until('acceptance', async () => (await postBatch(product, encodeBatch(doomed, frame()))).status === 202);
});

test('origins', async () => {
  const own = await createProject(product, 'origins');
  const settings = { allowed_origins: ['https://shop.example'] };
  const answer = await call(product, `/api/v1/projects/${own.project_id}`, {
    method: 'PATCH',
    body: JSON.stringify({ settings }),
  });
  const patched = answer.ok
    ? answer
    : await call(product, `/api/v1/projects/${own.project_id}`, { method: 'PATCH', body: JSON.stringify(settings) });
  expect(patched.status).toBe(200);
  const body = () => encodeBatch(own, frame());
  await until(
    'the refusal',
    async () => (await postBatch(product, body(), { origin: 'https://evil.example' })).status === 403,
  );
  const good = await postBatch(product, body(), { origin: 'https://shop.example' });
  expect(good.status).toBe(202);
  expect(good.headers.get('access-control-allow-origin')).toBe('https://shop.example');
});

test('hostile signals become dead letters, and the session still plays', async () => {
  const [session, stream, now] = [newSession(), newStream(), Date.now()];
  const base = { session, stream, from: now, to: now };
  await sendBatch(product, project, { ...base, seq: 0, signals: [pageSignal(now)], dom: key(now), key: true });

  const bomb = deflateSync(Buffer.alloc(64 << 20, 32), { level: 9 });
  const bombs: [number, Buffer, Record<string, unknown>][] = [
    [1, bomb, { signals: { len: bomb.length, raw: 1_000, enc: 'deflate' } }],
    [2, Buffer.from('this does not inflate'), { signals: { len: 21, raw: 40, enc: 'deflate' } }],
  ];
  for (const [seq, bytes, header] of bombs) {
    const empty = { ...base, seq, header: { ...header, dom: { len: 0, raw: 0 } } };
    const body = Buffer.concat([encodeBatch(project, empty), bytes]);
    expect((await postBatch(product, body)).status).toBe(202);
  }
  const lines = Buffer.from(
    '{"k":"custom","t":' +
      now +
      ',"name":"good"}\nnot json\n{"k":"error","t":"never"}\n{"k":"new_kind","t":' +
      now +
      ',"x":1}\n',
  );
  const malformed = {
    ...base,
    seq: 3,
    header: { signals: { len: lines.length, raw: lines.length, enc: 'none' }, dom: { len: 0, raw: 0 } },
  };
  expect((await postBatch(product, Buffer.concat([encodeBatch(project, malformed), lines]))).status).toBe(202);
  await sendBatch(product, project, {
    ...base,
    seq: 4,
    dom: [{ type: 3, timestamp: now + 9, data: { source: 1, positions: [] } }],
  });

  const found = await until('the good signals', async () => {
    const all = await events(product, project, session);
    return all.some((e) => e.kind === 'custom' && e.data.name === 'good') && all;
  });
  expect(
    found.some((e) => e.kind === 'new_kind'),
    'an unknown kind is kept',
  ).toBe(true);
  const letters = await until('dead letters', async () => {
    const { items } = await read(product, project, '/dead-letters');
    const own = items.filter((letter: any) => letter.session_id === session);
    return own.length >= 2 && own;
  });
  expect(letters.map((letter: any) => letter.reason).join()).toMatch(/frame_too_long/);
  const manifest = await read(product, project, `/sessions/${session}/replay`);
  expect(manifest.streams[0].segments.length).toBeGreaterThan(0);
  const metrics = await (await fetch(`${product.url}/metrics`)).text();
  expect(metrics).toMatch(/dead_letters?\w*\{[^}]*frame_too_long[^}]*\} [1-9]/);
});

test('a hostile dom frame plays up to its declared length and marks the gap', async () => {
  const [session, stream, now] = [newSession(), newStream(), Date.now()];
  const base = { session, stream, from: now, to: now + 10 };
  await sendBatch(product, project, { ...base, seq: 0, signals: [pageSignal(now)], dom: key(now), key: true });
  const bomb = deflateSync(Buffer.alloc(64 << 20, 32), { level: 9 });
  const hostile = { ...base, seq: 1, header: { dom: { len: bomb.length, raw: 5_000, enc: 'deflate', events: 1 } } };
  expect((await postBatch(product, Buffer.concat([encodeBatch(project, hostile), bomb]))).status).toBe(202);
  const manifest = await until('both frames', async () => {
    const found = await read(product, project, `/sessions/${session}/replay`);
    return found.streams[0]?.segments.at(-1)?.last_seq === 1 && found;
  });
  let bytes = 0;
  let gaps = 0;
  for (const segment of manifest.streams[0].segments) {
    const answer = await call(product, segment.href, { token: project.secret_key });
    expect(answer.status).toBe(200);
    bytes += (await answer.arrayBuffer()).byteLength;
    gaps += answer.headers.get('x-playhead-gap') ? 1 : 0;
  }
  expect(bytes).toBeLessThan(20_000);
  expect(gaps + manifest.streams[0].gaps.length).toBeGreaterThan(0);
});

test('times that cannot be', async () => {
  const [session, stream, now] = [newSession(), newStream(), Date.now()];
  const ahead = now + 7 * 3_600_000;
  const signals = [
    pageSignal(ahead),
    {
      k: 'request',
      t: ahead,
      id: '1'.repeat(16),
      api: 'fetch',
      method: 'GET',
      url: '/x',
      outcome: 'ok',
      status: 200,
      duration_ms: -5,
    },
    { k: 'custom', t: ahead + 1e12, name: 'far future' },
  ];
  await sendBatch(product, project, {
    session,
    stream,
    seq: 0,
    from: ahead,
    to: ahead,
    signals,
    dom: key(ahead),
    key: true,
    header: { sent: ahead },
  });
  const found = await until('the session', async () => {
    const answer = await read(product, project, `/sessions/${session}`);
    return answer.counts.events >= 3 && answer;
  });
  expect(found.clock_skewed).toBe(true);
  expect(Math.abs(found.started_at - now)).toBeLessThan(20_000);
  expect(found.duration_ms).toBeLessThan(24 * 3_600_000);
  const request = (await events(product, project, session, 'request'))[0];
  expect(request.data.duration_ms ?? 0).toBeGreaterThanOrEqual(0);
});

test('a stranger reads nothing', async () => {
  const { items } = await read(product, project, '/sessions');
  const sid = items[0].id;
  const base = `/api/v1/projects/${project.project_id}`;
  for (const path of [
    base,
    `${base}/sessions`,
    `${base}/sessions/${sid}`,
    `${base}/sessions/${sid}/events`,
    `${base}/sessions/${sid}/replay`,
    `${base}/dead-letters`,
    `${base}/status`,
  ]) {
    for (const token of [stranger.secret_key, 'phs_nonsense', '']) {
      const answer = await call(product, path, { token });
      expect([401, 403, 404], `${path} with ${token.slice(0, 6)}`).toContain(answer.status);
      expect(await answer.text()).not.toContain(sid + '"');
    }
  }
  const mixed = await call(product, `/api/v1/projects/${stranger.project_id}/sessions/${sid}`, {
    token: stranger.secret_key,
  });
  expect(mixed.status).toBe(404);
});

test('a body that trickles is cut off and frees its share', async () => {
  const { port } = new URL(product.url);
  const socket = connect(Number(port), '127.0.0.1');
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('close', () => resolve(text));
    socket.on('error', () => resolve(text));
  });
  socket.write(
    'POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 500000\r\n\r\n{"v":1',
  );
  const drip = setInterval(() => socket.write('x'), 500);
  expect(await answer).toMatch(/^HTTP\/1\.1 408/);
  clearInterval(drip);
});

test('more bytes under way than the budget are refused until some are gone', async () => {
  const small = await startProduct({ demo: false, env: { PLAYHEAD_GATEWAY__BODY_BUDGET_BYTES: String(4 << 20) } });
  const sockets: Socket[] = [];
  try {
    const own = await createProject(small);
    const head = 'POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1048576\r\n\r\n';
    // Each is charged for what it declares, before a byte of it has come; one client gets half of the budget.
    for (let count = 0; count < 4; count++) {
      const socket = connect(Number(new URL(small.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(head);
      sockets.push(socket);
    }
    // A batch that came before them would take some of the half that the second one needs.
    await until('the share of two of them', async () =>
      /playhead_gateway_bytes_under_way 2097152\b/.test(await (await fetch(`${small.url}/metrics`)).text()),
    );
    const refused = await until('the refusal', async () => {
      const answer = await postBatch(small, encodeBatch(own, frame()));
      return answer.status === 429 && answer;
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await refused.json()) as any).type).toMatch(/too-busy/);
    for (const socket of sockets) socket.destroy();
    await until('acceptance', async () => (await postBatch(small, encodeBatch(own, frame()))).status === 202);
    expect(await (await fetch(`${small.url}/metrics`)).text()).toMatch(
      /playhead_gateway_refused_total\{[^}]*too-busy[^}]*\} [1-9]/,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await small.remove();
  }
});
