// Runs helm on the chart, for a cluster that is not there.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
export const chart = here('../playhead');
export const repository = here('../..');
const helm = process.env.HELM ?? 'helm';
// A helm that was built from its source takes itself to be for Kubernetes 1.20.
const version = ['--kube-version', '1.33.0'];

/** The sets of values that are rendered, by name. */
export const valueSets = ['minimal', 'everything', 'fixed', 'examples'];
export const valuesFile = (name) => here(name === 'examples' ? '../../k8s/values.yaml' : `values/${name}.yaml`);

/** Lints with values; throws with what helm says. */
export function lint(name) {
  const files = name ? ['--values', valuesFile(name)] : [];
  const { status, stdout, stderr } = spawnSync(helm, ['lint', '--strict', chart, ...version, ...files], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${stdout}\n${stderr}`);
}

/** The manifests of a set of values, hooks and tests too, as objects. */
export function render(name, ...settings) {
  const result = run(name, settings);
  if (result.status !== 0) throw new Error(result.stderr);
  return parseDocuments(result.stdout);
}

/** What helm says when it refuses; throws if it does not. */
export function refusal(name, ...settings) {
  const result = run(name, settings);
  if (result.status === 0) throw new Error(`${settings} was taken`);
  return result.stderr;
}

export function parseDocuments(text) {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS();
    })
    .filter((manifest) => manifest);
}

function run(name, settings) {
  const set = settings.flatMap((setting) => ['--set', setting]);
  const args = ['template', 'playhead', chart, '--namespace', 'recordings', ...version];
  return spawnSync(helm, [...args, '--values', valuesFile(name), ...set], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
}
