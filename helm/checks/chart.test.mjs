// The chart as Helm renders it: what Kubernetes takes, what is refused, and what every pod must be.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { chart, lint, refusal, render, repository, valueSets } from './helm.mjs';
import { faults, nameOf } from './manifests.mjs';

const rendered = Object.fromEntries(valueSets.map((name) => [name, render(name)]));
const all = Object.values(rendered).flat();
const pods = (manifests) =>
  manifests.flatMap((manifest) => {
    if (manifest.kind === 'Pod') return [{ name: nameOf(manifest), ...manifest }];
    return manifest.spec?.template?.spec ? [{ name: nameOf(manifest), ...manifest.spec.template }] : [];
  });
const one = (set, kind, name) => {
  const found = rendered[set].filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name} of ${set}`);
  return found[0];
};

test('helm lint has nothing to say', () => {
  for (const name of [undefined, ...valueSets]) lint(name);
});

test('Kubernetes and the operators take what is rendered', async () => {
  assert.deepEqual(await faults(all), []);
});

test('a field that Kubernetes does not know, or of another type, is found', async () => {
  const deployment = structuredClone(one('minimal', 'Deployment', 'playhead-gateway'));
  deployment.spec.template.spec.containers[0].livenessProbe.periodSecond = 1;
  deployment.spec.minReadySeconds = '5';
  const found = (await faults([deployment])).join('\n');
  assert.match(found, /periodSecond/);
  assert.match(found, /minReadySeconds must be integer/);
});

test('what "everything" turns on is there, and what "fixed" turns off is not', () => {
  const kinds = (set) => new Set(rendered[set].map((manifest) => manifest.kind));
  const optional = ['Ingress', 'NetworkPolicy', 'ScaledObject', 'ServiceMonitor', 'PrometheusRule'];
  for (const kind of optional) {
    assert.ok(kinds('everything').has(kind), kind);
    assert.ok(!kinds('minimal').has(kind), kind);
  }
  for (const kind of ['HorizontalPodAutoscaler', 'Job', 'PodDisruptionBudget']) {
    assert.ok(kinds('minimal').has(kind) && !kinds('fixed').has(kind), kind);
  }
  assert.equal(one('fixed', 'Deployment', 'recorder-gateway').spec.replicas, 1);
  assert.equal(one('minimal', 'Deployment', 'playhead-gateway').spec.replicas, undefined);
});

for (const [wrong, said] of [
  ['gateway.replica=3', 'replica'],
  ['config.kafka.broker=x:1', 'broker'],
  ['config.gateway.quota.rate=1', 'rate'],
  ['config.scylla.password=hunter2', 'password'],
  ['config.store.cache_bytes=1', 'store'],
  ['config.demo=true', 'demo'],
  ['gateway.config.kafka.broker=x:1', 'broker'],
  ['config.processor.flush_bytes=much', 'flush_bytes'],
  ['image.digest=sha256:12', 'digest'],
  ['migration.deadlineSeconds=60', 'deadlineSeconds'],
  ['image.repository=', 'image.repository'],
  ['config.kafka.brokers=', 'config.kafka.brokers'],
  ['config.scylla.nodes=', 'config.scylla.nodes'],
  ['config.blobs.url=', 'config.blobs.url'],
  ['secrets.installationKey.name=', 'secrets.installationKey'],
  ['secrets.adminToken.name=', 'secrets.adminToken'],
  ['streamProcessor.replicas=65', 'config.batches.partitions'],
  ['gateway.config.batches.partitions=8', 'config.batches must be the same'],
  ['config.processor.session_idle_ms=5000', 'session_idle_ms'],
  ['ingress.enabled=true', 'set the host'],
]) {
  test(`${wrong} is refused`, () => {
    assert.ok(refusal('minimal', wrong).includes(said));
  });
}

test('no pod has more rights than it needs', () => {
  for (const { name, spec } of pods(all)) {
    assert.equal(spec.automountServiceAccountToken, false, name);
    assert.equal(spec.securityContext.runAsNonRoot, true, name);
    assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault', name);
    for (const container of spec.containers) {
      const { securityContext, resources } = container;
      assert.equal(securityContext.readOnlyRootFilesystem, true, name);
      assert.equal(securityContext.allowPrivilegeEscalation, false, name);
      assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] }, name);
      assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory, name);
    }
  }
});

// Services called playhead-… would otherwise become PLAYHEAD_… variables, which the binary takes for settings.
test('no pod gets the addresses of services as variables', () => {
  for (const { name, spec } of pods(all)) assert.equal(spec.enableServiceLinks, false, name);
});

test('the test of a release asks each service where it listens', () => {
  const { containers } = one('everything', 'Pod', 'playhead-test').spec;
  assert.deepEqual(containers.map(({ name }) => name).sort(), ['gateway', 'query-api', 'stream-processor']);
  for (const { name, args } of containers) {
    const service = one('everything', 'Service', `playhead-${name}`);
    assert.deepEqual(args, ['health', '--address', `${service.metadata.name}:${service.spec.ports[0].port}`]);
  }
});

test('each service has the secrets that it uses and no other', () => {
  const variables = (kind, name) => {
    const [container] = one('everything', kind, name).spec.template.spec.containers;
    const own = container.env.filter((variable) => variable.name.startsWith('PLAYHEAD_'));
    for (const variable of own) assert.ok(variable.valueFrom.secretKeyRef.name, variable.name);
    return own.map((variable) => variable.name.replace('PLAYHEAD_', ''));
  };
  const kafka = ['INSTALLATION_KEY', 'KAFKA__SASL_PASSWORD', 'KAFKA__SSL_KEY_PASSWORD'];
  const storage = ['SCYLLA__PASSWORD', 'BLOBS__ACCESS_KEY_ID', 'BLOBS__SECRET_ACCESS_KEY'];
  assert.deepEqual(variables('Deployment', 'playhead-gateway'), kafka);
  assert.deepEqual(variables('Deployment', 'playhead-stream-processor'), [...kafka, ...storage]);
  assert.deepEqual(variables('Deployment', 'playhead-query-api'), [...kafka, ...storage, 'ADMIN_TOKEN']);
  assert.deepEqual(variables('Job', 'playhead-migrate'), ['SCYLLA__PASSWORD']);
});

test('a pod may take as long to stop as its settings say', () => {
  const seconds = (set, name) => one(set, 'Deployment', name).spec.template.spec.terminationGracePeriodSeconds;
  // Notice, drain, and twenty for the last flush, traces and threads.
  assert.equal(seconds('minimal', 'playhead-gateway'), 10 + 30 + 20);
  assert.equal(seconds('minimal', 'playhead-stream-processor'), 30 + 20);
  assert.equal(seconds('fixed', 'recorder-query-api'), Math.ceil(11.5) + 20);
});

test('selectors meet the pods that they are for, and only those', () => {
  const of = (labels, selector) => Object.entries(selector).every(([key, value]) => labels[key] === value);
  for (const manifests of Object.values(rendered)) {
    const services = manifests.filter(({ kind }) => kind === 'Service');
    assert.equal(services.length, 3);
    for (const { kind, metadata, spec } of manifests) {
      const selector = { Service: () => spec.selector, PodDisruptionBudget: () => spec.selector.matchLabels };
      const policy = kind === 'NetworkPolicy' && !metadata.name.endsWith('-migrate');
      const labels = policy ? spec.podSelector.matchLabels : selector[kind]?.();
      if (!labels) continue;
      const met = pods(manifests).filter((pod) => of(pod.metadata.labels, labels));
      assert.deepEqual(
        met.map(({ name }) => name),
        [`Deployment ${metadata.name}`],
      );
    }
  }
});

test('migrations come first, also before a roll back, with what they need', () => {
  const hooks = ['ConfigMap', 'ServiceAccount', 'Job'].map((kind) => one('minimal', kind, 'playhead-migrate'));
  const weights = hooks.map(({ metadata }) => {
    assert.equal(metadata.annotations['helm.sh/hook'], 'pre-install,pre-upgrade,pre-rollback');
    return Number(metadata.annotations['helm.sh/hook-weight']);
  });
  assert.ok(weights[0] < weights[2] && weights[1] < weights[2]);
});

test('the Ingress reaches every address of the dashboard, and no metrics', () => {
  const paths = (name) => one('everything', 'Ingress', name).spec.rules[0].http.paths;
  const reaches = (name, wanted) =>
    paths(name).some(({ path, pathType }) =>
      pathType === 'Exact' ? wanted === path : wanted === path || wanted.startsWith(`${path}/`),
    );
  const router = readFileSync(`${repository}/dashboard/src/router.tsx`, 'utf8');
  const addresses = [...router.matchAll(/getParentRoute: \(\) => rootRoute,\s*path: '([^']+)'/g)].map(
    (match) => match[1],
  );
  assert.ok(addresses.includes('/') && addresses.includes('/p/$project'), 'the router is written otherwise now');
  for (const address of [...addresses, '/api/v1/me', '/api/openapi.json', '/stage', '/assets/a.js', '/favicon.svg']) {
    assert.ok(reaches('playhead-query-api', address), address);
  }
  for (const address of ['/v1/batches', '/v1/sessions', '/sdk/playhead.js']) {
    assert.ok(reaches('playhead-gateway', address), address);
  }
  for (const address of ['/metrics', '/readyz', '/healthz']) {
    assert.ok(!reaches('playhead-gateway', address) && !reaches('playhead-query-api', address), address);
  }
});

test('KEDA asks for the group and the topic that the binary uses', () => {
  const { metadata } = one('everything', 'ScaledObject', 'playhead-stream-processor').spec.triggers[0];
  const group = /const GROUP: &str = "([^"]+)"/.exec(read('stream-processor/src/processor.rs'))[1];
  const topic = /pub const BATCHES: &str = "([^"]+)"/.exec(read('domain/src/topic.rs'))[1];
  assert.equal(metadata.consumerGroup, `shop-${group}`);
  assert.equal(metadata.topic, `shop-${topic}-2`);
});

test('the README of the chart has every value', () => {
  const readme = readFileSync(`${chart}/README.md`, 'utf8');
  const { properties } = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8'));
  for (const name of valuePaths(properties)) {
    const shared = name.replace(/^(gateway|streamProcessor|queryApi)\./, '*.');
    assert.ok(readme.includes(`\`${name}\``) || readme.includes(`\`${shared}\``), name);
  }
});

const read = (path) => readFileSync(`${repository}/${path}`, 'utf8');

/** Paths of values that the schema lists, without what is a reference to a shape of its own. */
function valuePaths(properties, prefix = '') {
  return Object.entries(properties).flatMap(([name, schema]) => {
    if (name === 'global') return [];
    const path = `${prefix}${name}`;
    return schema.properties ? valuePaths(schema.properties, `${path}.`) : [path];
  });
}
