// The settings that the chart writes are the binary's: it takes every file that is rendered, with every variable.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { answer, freePort, settings, start } from './binary.mjs';
import { byReference, configSchema } from './config-schema.mjs';
import { chart, render, valueSets } from './helm.mjs';

const folder = mkdtempSync(join(tmpdir(), 'playhead-settings-'));
after(() => rmSync(folder, { recursive: true }));

test('the schema of config is what the binary says of itself', () => {
  const { definitions } = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8'));
  assert.deepEqual(definitions.config, configSchema(), 'run node helm/checks/write-schema.mjs');
});

test('what is set by reference is a setting', () => {
  const known = settings().map(({ section, name }) => (section === '' ? name : `${section}.${name}`));
  assert.ok(known.length > 100);
  for (const path of byReference()) assert.ok(known.includes(path), path);
});

for (const set of valueSets) {
  const manifests = render(set);
  for (const manifest of manifests) {
    const pod = manifest.spec?.template?.spec;
    if (!pod) continue;
    const [container] = pod.containers;
    test(`${container.args[0]} takes its settings of "${set}"`, () => run(manifests, pod, container));
  }
}

test('a variable or a setting that the binary does not know ends it', async () => {
  for (const [variable, file] of [
    ['PLAYHEAD_KAFKA__SASL_PASSWD', ''],
    ['PLAYHEAD_KAFKA__PREFIX', '[gateway]\nno_such_setting = 1\n'],
  ]) {
    const path = join(folder, 'wrong.toml');
    writeFileSync(path, `[kafka]\nbrokers = "127.0.0.1:1"\n${file}`);
    const process_ = start(['gateway', '--config', path], { [variable]: 'x' });
    await process_.ended;
    assert.match(process_.said, /the configuration is not valid/);
  }
});

/** Starts what the container would run, with its files and variables, on a free port. */
async function run(manifests, pod, container) {
  const root = mkdtempSync(join(folder, 'pod-'));
  for (const volume of pod.volumes) writeVolume(manifests, root, mountOf(container, volume), volume);
  const args = container.args.map((argument) => inRoot(root, argument));
  const port = await freePort();
  if (args[0] !== 'migrate') args.push('--listen', `127.0.0.1:${port}`);
  const process_ = start(args, variables(container));
  try {
    if (args[0] === 'migrate') await triedTheStore(process_);
    else assert.equal((await answer(process_, port, container.livenessProbe.httpGet.path)).status, 200);
  } finally {
    await process_.stop();
  }
}

const mountOf = (container, { name }) => container.volumeMounts.find((mount) => mount.name === name).mountPath;
const inRoot = (root, text) => text.replaceAll('/etc/playhead/', `${root}/`);

function writeVolume(manifests, root, mountPath, { name, configMap, secret }) {
  const source = configMap?.name ?? secret.secretName;
  const { items } = configMap ?? secret;
  for (const { key, path } of items) {
    const target = join(inRoot(root, `${mountPath}/`), path);
    mkdirSync(dirname(target), { recursive: true });
    const text = name === 'config' ? dataOf(manifests, source)[key] : certificates()[path];
    assert.ok(text, `${source} has ${key}`);
    writeFileSync(target, inRoot(root, text));
  }
}

const dataOf = (manifests, name) =>
  manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name).data;

/** What secrets would hold. */
function variables({ env = [] }) {
  const values = { PLAYHEAD_INSTALLATION_KEY: '0123456789abcdef'.repeat(4) };
  return Object.fromEntries(env.map(({ name }) => [name, values[name] ?? 'a-secret-of-the-checks']));
}

let made;
/** A certificate that signs itself, as every file that is a certificate or a key. */
function certificates() {
  if (!made) {
    const [key, certificate] = ['key', 'pem'].map((name) => join(folder, `certificate.${name}`));
    const subject = ['-subj', '/CN=playhead', '-days', '1', '-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { stdio: 'ignore' });
    made = { 'ca.crt': readFileSync(certificate, 'utf8'), 'tls.key': readFileSync(key, 'utf8') };
    made['tls.crt'] = made['ca.crt'];
  }
  return made;
}

/** It got past its settings when what it has to say is that no node answers. */
async function triedTheStore(process_) {
  await process_.ended;
  assert.doesNotMatch(process_.said, /the configuration is not valid|unknown field|must be/);
  assert.match(process_.said, /the schema was not brought up to date/);
}
