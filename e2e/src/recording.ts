// A synthetic recording of a large page: about 7,000 nodes, an hour, 200 MB raw, key frames where the SDK would put them.
import { newSession, newStream, pageSignal, sendBatch } from './batch.ts';
import type { Product, Project } from './product.ts';

const ROWS = 1_000;
const CELLS = 3;

let text = 0;
const words = (count: number): string =>
  Array.from({ length: count }, () => ((text = (text * 1_103_515_245 + 12_345) % 2 ** 31) % 46_656).toString(36)).join(
    ' ',
  );

interface Node {
  type: number;
  id: number;
  tagName?: string;
  attributes?: Record<string, string>;
  textContent?: string;
  childNodes?: Node[];
}

/** The page: a table of rows whose cells hold text; ids are stable, so that mutations can name them. */
function page(): { node: Node; texts: number[]; nodes: number } {
  let id = 0;
  const texts: number[] = [];
  const element = (tagName: string, attributes: Record<string, string>, childNodes: Node[]): Node => ({
    type: 2,
    id: ++id,
    tagName,
    attributes,
    childNodes,
  });
  const textNode = (textContent: string): Node => {
    texts.push(++id);
    return { type: 3, id, textContent };
  };
  const cell = (n: number): Node => element('td', { class: `cell c${n}` }, [textNode(words(3))]);
  const row = (n: number): Node =>
    element(
      'tr',
      { class: n % 2 ? 'odd' : 'even', 'data-row': String(n) },
      Array.from({ length: CELLS }, (_, c) => cell(c)),
    );
  const style = element('style', {}, [
    { type: 3, id: ++id, textContent: 'td{border:1px solid #ccc;font:12px sans-serif}.odd{background:#f6f6f6}' },
  ]);
  const table = element(
    'table',
    {},
    Array.from({ length: ROWS }, (_, n) => row(n)),
  );
  const body = element('body', {}, [element('h1', {}, [textNode('Orders')]), table]);
  const html = element('html', { lang: 'en' }, [element('head', {}, [style]), body]);
  const node: Node = { type: 0, id: ++id, childNodes: [html] };
  return { node, texts, nodes: id };
}

export interface LongRecording {
  session: string;
  durationMs: number;
  rawBytes: number;
  nodes: number;
  keyFrames: number;
}

/** Sends the recording, ending now; `megabytes` raw over `minutes`. */
export async function sendLongRecording(
  product: Product,
  project: Project,
  minutes = 61,
  megabytes = 200,
): Promise<LongRecording> {
  const [session, stream, intervalMs] = [newSession(), newStream(), 5_000];
  const batches = (minutes * 60_000) / intervalMs;
  const rawPerBatch = (megabytes * 1e6) / batches;
  const start = Date.now() - minutes * 60_000;
  const { node, texts, nodes } = page();
  const snapshot = JSON.stringify(node).length;
  const keyFrame = (at: number): object[] => [
    { type: 4, timestamp: at, data: { href: 'http://shop.example/orders', width: 1280, height: 800 } },
    { type: 2, timestamp: at, data: { node, initialOffset: { left: 0, top: 0 } } },
  ];
  let [rawBytes, since, keyFrames] = [0, 0, 0];
  for (let seq = 0; seq < batches; seq++) {
    const at = start + seq * intervalMs;
    const key = seq === 0 || since >= 4 * snapshot;
    const dom = key ? keyFrame(at) : [];
    if (key) keyFrames++;
    let size = key ? snapshot : 0;
    since = key ? 0 : since;
    for (let n = 0; size < rawPerBatch; n++) {
      const event = mutation(texts, seq * 7 + n, at + Math.min(n * 3, intervalMs - 1));
      dom.push(event);
      const length = JSON.stringify(event).length;
      size += length;
      since += length;
    }
    rawBytes += size;
    const signals: object[] = seq === 0 ? [pageSignal(at, 'http://shop.example/orders')] : [];
    if (seq % 60 === 30) {
      signals.push({
        k: 'error',
        t: at,
        id: seq.toString(16).padStart(16, '0'),
        type: 'TypeError',
        message: `row ${seq}`,
        mechanism: 'uncaught',
        handled: false,
      });
    }
    await sendBatch(product, project, { session, stream, seq, from: at, to: at + intervalMs - 1, signals, dom, key });
  }
  return { session, durationMs: minutes * 60_000, rawBytes, nodes, keyFrames };
}

function mutation(texts: number[], n: number, timestamp: number): object {
  const changed = Array.from({ length: 20 }, (_, k) => ({
    id: texts[(n * 31 + k * 7) % texts.length]!,
    value: words(4),
  }));
  return { type: 3, timestamp, data: { source: 0, texts: changed, attributes: [], removes: [], adds: [] } };
}
