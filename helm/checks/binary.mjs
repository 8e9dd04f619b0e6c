// The product's binary, which knows its own settings.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 20_000;
export const binary = process.env.PLAYHEAD_BINARY ?? 'playhead';

/** Every setting with its default, from `playhead config`: `{ section, name, value }`; section is '' at the top level. */
export function settings() {
  const found = [];
  let section;
  for (const line of execFileSync(binary, ['config'], { encoding: 'utf8' }).split('\n')) {
    const heading = /^## (?:`\[(.+)\]`|Top level)$/.exec(line);
    if (heading) section = heading[1] ?? '';
    const row = /^\| `([a-z_.]+)` \| `(.*?)` \|/.exec(line);
    if (row && section !== undefined) found.push({ section, name: row[1], value: row[2] });
  }
  return found;
}

/** Starts a command of the binary; `stop` ends it. `said` is what it wrote so far. */
export function start(args, env = {}) {
  const { PATH } = process.env;
  const child = spawn(binary, args, { env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const process_ = { child, said: '', ended: once(child, 'exit') };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (process_.said += data));
  process_.stop = async () => {
    child.kill('SIGKILL');
    await process_.ended;
  };
  return process_;
}

/** Waits until a path answers, with any status; throws with what the process wrote when it ends before. */
export async function answer(process_, port, path) {
  const end = Date.now() + DEADLINE_MS;
  while (Date.now() < end) {
    if (process_.child.exitCode !== null) throw new Error(`it ended: ${process_.said}`);
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    } catch {
      await pause(20);
    }
  }
  throw new Error(`${path} does not answer: ${process_.said}`);
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
