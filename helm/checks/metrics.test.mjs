// Alerts and dashboards ask for metrics and labels that the product has, and link to headings of the runbook.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parser } from '@prometheus-io/lezer-promql';
import { answer, freePort, start } from './binary.mjs';
import { render, repository } from './helm.mjs';

const read = (path) => readFileSync(`${repository}/${path}`, 'utf8');
const matches = (path, pattern) => [...read(path).matchAll(pattern)].map((match) => match[1]);

/** Names as the code registers them: families whose labels were never used are not in /metrics. */
function ofCode() {
  const literal = [
    'gateway/src/metrics.rs',
    'query-api/src/metrics.rs',
    'query-api/src/alert/metrics.rs',
    'query-api/src/jira/metrics.rs',
    'playhead/src/backends.rs',
  ];
  const literals = literal.map((path) => matches(path, /"(playhead_[a-z_]+)"/g));
  const [prefix] = matches('stream-processor/src/metrics.rs', /format!\("(playhead_processor_)\{name\}"\)/g);
  const processor = matches(
    'stream-processor/src/metrics.rs',
    /\.(?:counters?|gauges?(?:_f64)?|histogram)\(\s*"([a-z_]+)"/g,
  );
  const parts = ['store', 'blobs'].flatMap((file) =>
    matches(`backends/src/observed/${file}.rs`, /Metrics::register\(registry, "([a-z]+)"/g),
  );
  const observed = matches('backends/src/observed.rs', /format!\("playhead_\{part\}_([a-z_]+)"\)/g);
  const groups = [
    ...literals,
    processor.map((name) => `${prefix}${name}`),
    parts.flatMap((part) => observed.map((name) => `playhead_${part}_${name}`)),
  ];
  for (const group of groups) assert.ok(group.length > 1, 'a file registers its metrics otherwise now');
  return groups.flat();
}

/** Names in /metrics of `playhead up`. */
async function ofBinary() {
  const folder = mkdtempSync(join(tmpdir(), 'playhead-metrics-'));
  const port = await freePort();
  const process_ = start(['up', '--data', folder, '--listen', `127.0.0.1:${port}`, '--no-demo']);
  try {
    // Until it has started, nobody answers there.
    for (;;) {
      const { status, text } = await answer(process_, port, '/metrics');
      if (status === 200) return [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    }
  } finally {
    await process_.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Every query with where it stands. */
function queries() {
  const alerts = render('everything')
    .filter(({ kind }) => kind === 'PrometheusRule')
    .flatMap(({ spec }) => spec.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr])));
  const folder = 'k8s/grafana';
  const panels = readdirSync(`${repository}/${folder}`).flatMap((file) => {
    const { panels: found, templating } = JSON.parse(read(`${folder}/${file}`));
    const asked = found.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [`${file}: ${title}`, expr]));
    const variables = templating.list.filter(({ type }) => type === 'query');
    const listed = variables.map(({ name, query }) => [
      `${file}: $${name}`,
      /label_values\((.+), \w+\)/.exec(query.query)[1],
    ]);
    return [...asked, ...listed];
  });
  assert.ok(alerts.length > 20 && panels.length > 40);
  return [...alerts, ...panels].map(([where, text]) => ({ where, text: text.replaceAll('$__rate_interval', '5m') }));
}

/** Metrics, labels and values in a query; throws where it is no PromQL. */
function asked({ where, text }) {
  const found = { metrics: [], labels: [] };
  const of = ({ from, to }) => text.slice(from, to);
  parser.parse(text).iterate({
    enter(node) {
      assert.ok(!node.type.isError, `${where}: no PromQL at ${node.from} of ${text}`);
      if (node.name === 'VectorSelector') found.metrics.push(of(node.node.getChild('Identifier')));
      if (node.name === 'UnquotedLabelMatcher') {
        const value = of(node.node.getChild('StringLiteral')).slice(1, -1);
        found.labels.push({ name: of(node.node.getChild('LabelName')), value });
      }
    },
  });
  return found;
}

const known = ofCode();
const running = await ofBinary();

test('the code and /metrics agree on the names', () => {
  const ours = running.filter((name) => name.startsWith('playhead_'));
  assert.ok(ours.length > 20);
  for (const name of ours) assert.ok(known.includes(name), name);
});

test('alerts and dashboards ask for what there is', () => {
  for (const query of queries()) {
    const { metrics, labels } = asked(query);
    assert.ok(metrics.length > 0, query.where);
    for (const metric of metrics) {
      if (metric === 'up') continue;
      const name = metric.replace(/_bucket$/, '');
      assert.ok(known.includes(name) || running.includes(name), `${query.where}: ${metric}`);
    }
    for (const { name, value } of labels) {
      // Prometheus' own.
      if (['job', 'namespace', 'pod'].includes(name)) continue;
      for (const one of value.split('|')) assert.ok(inSources(one), `${query.where}: ${name}="${one}"`);
    }
  }
});

const sources = ['gateway/src', 'stream-processor/src', 'query-api/src', 'backends/src'].flatMap((folder) =>
  readdirSync(`${repository}/${folder}`, { recursive: true })
    .filter((file) => file.endsWith('.rs'))
    .map((file) => read(`${folder}/${file}`)),
);
const inSources = (word) => sources.some((source) => source.includes(`"${word}"`));

test('every alert links to a heading of the runbook', () => {
  const headings = matches('docs/runbook.md', /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
  for (const { kind, spec } of render('everything')) {
    if (kind !== 'PrometheusRule') continue;
    for (const { alert, annotations } of spec.groups.flatMap(({ rules }) => rules)) {
      const [page, anchor] = annotations.runbook_url.split('#');
      assert.equal(page, 'https://docs.example/runbook.md');
      assert.ok(headings.includes(anchor), `${alert}: ${anchor}`);
      assert.ok(annotations.summary, alert);
    }
  }
});
