// The examples in k8s/: what Kubernetes takes, and what the values for the chart refer to.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parseDocuments, render, repository } from './helm.mjs';
import { faults } from './manifests.mjs';

// Their operators' types are not at hand.
const NOT_VALIDATED = ['kafka.strimzi.io/v1', 'scylla.scylladb.com/v1'];
const files = readdirSync(`${repository}/k8s`).filter((file) => file.endsWith('.yaml') && file !== 'values.yaml');
const examples = files.flatMap((file) => parseDocuments(readFileSync(`${repository}/k8s/${file}`, 'utf8')));
const named = (kind) => new Map(examples.filter((one) => one.kind === kind).map((one) => [one.metadata.name, one]));
const rendered = render('examples');

test('Kubernetes takes them', async () => {
  assert.ok(examples.length > 10);
  assert.deepEqual(await faults(examples.filter(({ apiVersion }) => !NOT_VALIDATED.includes(apiVersion))), []);
});

test('every namespace that they are in is there', () => {
  const namespaces = named('Namespace');
  for (const { kind, metadata } of examples) {
    if (kind !== 'Namespace') assert.ok(namespaces.has(metadata.namespace), metadata.name);
  }
});

test('the secrets that the values name have the keys that are read', () => {
  const secrets = named('Secret');
  const has = (name, key) => assert.ok(key in (secrets.get(name)?.stringData ?? {}), `${name} has ${key}`);
  for (const { spec } of rendered) {
    const pod = spec?.template?.spec;
    if (!pod) continue;
    for (const { valueFrom } of pod.containers.flatMap(({ env = [] }) => env)) {
      has(valueFrom.secretKeyRef.name, valueFrom.secretKeyRef.key);
    }
    for (const { secret } of pod.volumes) for (const { key } of secret?.items ?? []) has(secret.secretName, key);
  }
  for (const { name, key } of named('TriggerAuthentication').get('playhead-kafka').spec.secretTargetRef) has(name, key);
});

test('the values name the engines as the examples call them', () => {
  const text = JSON.stringify(rendered);
  const kafka = named('Kafka').get('recordings');
  const [{ port }] = kafka.spec.kafka.listeners;
  const scylla = named('ScyllaCluster').get('recordings');
  assert.ok(text.includes(`${kafka.metadata.name}-kafka-bootstrap.${kafka.metadata.namespace}.svc:${port}`));
  assert.ok(text.includes(`${scylla.metadata.name}-client.${scylla.metadata.namespace}.svc:9042`));
  assert.ok(text.includes(`datacenter = \\"${scylla.spec.datacenter.name}\\"`));
  assert.ok(named('KafkaUser').has('playhead') && text.includes('sasl_username = \\"playhead\\"'));
  assert.ok(named('TriggerAuthentication').has('playhead-kafka'));
});

test('no example holds a secret', () => {
  for (const { metadata, stringData, data } of named('Secret').values()) {
    assert.equal(data, undefined);
    for (const [key, value] of Object.entries(stringData)) {
      const words = ['scram_sha512', 'playhead', 'enable'];
      assert.ok(/^<.+>$/.test(value) || words.includes(value), `${metadata.name}: ${key}`);
    }
  }
});
