import { describe, expect, it } from 'vitest';
import { groupsOf } from '../../src/replay/panes/waterfall';
import { readStack } from '../../src/replay/panes/stack';
import { splitTime } from '../../src/replay/panes/timing';
import { lastAtOrBefore, leadIn, type Moment, stepMarker, toMoment } from '../../src/replay/moments';
import { boxesOf } from '../../src/replay/timeline/lanes';
import { findKeyFrame, readLines } from '../../stage/lines';
import { splitPointerMoves } from '../../stage/order';
import { dropReplaced } from '../../stage/replaced';
import { AttributePolicy } from '../../stage/sanitize/attributes';
import { sanitizeCss } from '../../stage/sanitize/css';
import { ImagePolicy } from '../../stage/sanitize/images';

const moment = (at_ms: number, kind = 'error', data: Record<string, unknown> = {}): Moment =>
  toMoment({ id: `${kind}${String(at_ms)}`, time: at_ms, at_ms, stream: 's', kind, data });

describe('markers', () => {
  const markers = [1000, 5000, 9000].map((at) => moment(at));

  it('steps to the next and the previous one', () => {
    expect(stepMarker(markers, 5000, 1)?.at).toBe(9000);
    expect(stepMarker(markers, 5200, -1)?.at).toBe(1000);
    expect(stepMarker(markers, 9000, 1)).toBeNull();
    expect(stepMarker(markers, 900, -1)).toBeNull();
  });

  it('finds the row that is now', () => {
    expect([0, 1000, 8999, 20_000].map((at) => lastAtOrBefore(markers, at))).toEqual([-1, 0, 1, 2]);
  });

  it('an error is watched from 2.5 s before it, at most from the start', () => {
    expect([leadIn(18_250), leadIn(1000)]).toEqual([15_750, 0]);
  });

  it('markers that fall on one another become one box', () => {
    const boxes = boxesOf([moment(1000), moment(1001), moment(1002), moment(50_000)], 100_000);
    expect(boxes.map(({ count }) => count)).toEqual([3, 1]);
  });
});

describe('requests', () => {
  it('time that no measurement covers is unknown', () => {
    const timing = { queued_ms: 5, connect_ms: 10, wait_ms: 60, download_ms: 5 };
    expect(splitTime({ duration_ms: 100, frontend_ms: 16, timing })).toEqual([
      { part: 'network', duration_ms: 20 },
      { part: 'backend', duration_ms: 60 },
      { part: 'unknown', duration_ms: 20 },
      { part: 'frontend', duration_ms: 16 },
    ]);
    expect(splitTime({ duration_ms: 100 })).toEqual([{ part: 'unknown', duration_ms: 100 }]);
    expect(splitTime({})).toEqual([]);
  });

  it('requests that follow closely share a scale', () => {
    const items = [
      moment(0, 'request', { duration_ms: 300 }),
      moment(200, 'request', { duration_ms: 900 }),
      moment(20_000, 'request', { duration_ms: 10 }),
    ];
    const groups = groupsOf(items);
    expect(groups.get('request0')).toEqual({ from: 0, to: 1100 });
    expect(groups.get('request200')).toBe(groups.get('request0'));
    expect(groups.get('request20000')).toEqual({ from: 20_000, to: 20_010 });
  });
});

describe('stacks', () => {
  it.each([
    ['    at pay (https://x.example/a/b.js?v=1:61:5)', 'pay', 'b.js', '61:5'],
    ['    at https://x.example/c.js:1:2', '(anonymous)', 'c.js', '1:2'],
    ['pay@https://x.example/d.js:7:8', 'pay', 'd.js', '7:8'],
  ])('%s', (line, text, file, position) => {
    expect(readStack(line)[0]).toMatchObject({ text, at: { file, position } });
  });
});

describe('the text of a style element', () => {
  const policy = new AttributePolicy(new ImagePolicy([]));
  const cleaned = (css: string) => policy.sanitize('style', { _cssText: css })._cssText;

  it('is whole where the recorder marked a place inside a value', () => {
    expect(cleaned(':host { --small: 12/* rr_split */px; --ink: #44/* rr_split */4444; }')).toBe(
      ':host { --small: 12px; --ink: #444444; }',
    );
  });

  it('hides no address behind such a mark', () => {
    expect(cleaned('p { background: ur/* rr_split */l(https://evil.example/x.png) }')).not.toContain('evil.example');
  });
});

describe('lines of a recording', () => {
  const line = (type: number, timestamp: number) =>
    JSON.stringify({ type, data: { text: '"timestamp":1}' }, timestamp });

  it('reads kind and time from the ends, skips what is broken, and finds the key frame', () => {
    const text = [line(4, 10), line(2, 11), line(3, 12), '{broken', line(4, 20), line(2, 21), line(3, 22)].join('\n');
    const lines = [...readLines(new TextEncoder().encode(text).buffer)];
    expect(lines.map(({ type, timestamp }) => [type, timestamp])).toEqual([
      [4, 10],
      [2, 11],
      [3, 12],
      [4, 20],
      [2, 21],
      [3, 22],
    ]);
    expect([15, 21, 5].map((at) => findKeyFrame(lines, at))).toEqual([0, 3, 0]);
  });

  it('cuts pointer moves into single positions in order of time', () => {
    const data = {
      source: 1,
      positions: [
        { x: 1, y: 1, id: 1, timeOffset: -100 },
        { x: 2, y: 1, id: 1, timeOffset: 0 },
      ],
    };
    expect(splitPointerMoves({ type: 3, timestamp: 500, data }).map(({ timestamp }) => timestamp)).toEqual([400, 500]);
  });

  it('keeps only the last scroll of each element when nothing is seen in between', () => {
    const scroll = (id: number, timestamp: number) => ({
      type: 3,
      timestamp,
      data: { source: 3, id, x: 0, y: timestamp },
    });
    expect(dropReplaced([scroll(1, 1), scroll(2, 2), scroll(1, 3)]).map(({ timestamp }) => timestamp)).toEqual([2, 3]);
  });

  const mutation = (timestamp: number, change: Record<string, unknown>) => ({
    type: 3,
    timestamp,
    data: { source: 0, texts: [], attributes: [], adds: [], removes: [], ...change },
  });
  const keyFrame = (timestamp: number) => ({ type: 2, timestamp, data: { node: {} } });

  it('keeps only the last text of each node', () => {
    const text = (at: number, ...ids: number[]) =>
      mutation(at, { texts: ids.map((id) => ({ id, value: `${String(id)} at ${String(at)}` })) });
    const left = dropReplaced([text(1, 7, 8), text(2, 8), text(3, 7, 9)]);
    expect(left.map(({ data }) => data.texts)).toEqual([
      [{ id: 8, value: '8 at 2' }],
      [
        { id: 7, value: '7 at 3' },
        { id: 9, value: '9 at 3' },
      ],
    ]);
  });

  it('keeps texts from before another key frame, and every added and removed node', () => {
    const text = mutation(1, { texts: [{ id: 7, value: 'a' }] });
    const later = mutation(3, { texts: [{ id: 7, value: 'b' }] });
    expect(dropReplaced([text, keyFrame(2), later])).toEqual([text, keyFrame(2), later]);
    const moved = mutation(2, { removes: [{ id: 7 }], adds: [{ node: { id: 7 } }], texts: [{ id: 7, value: 'a' }] });
    expect(dropReplaced([moved, later])).toEqual([{ ...moved, data: { ...moved.data, texts: [] } }, later]);
  });

  it('keeps the text of a style sheet whose rules are changed by number', () => {
    const sheet = (at: number) => mutation(at, { texts: [{ id: 7, value: `p { top: ${String(at)}px }` }] });
    const rule = { type: 3, timestamp: 2, data: { source: 13, id: 6, index: [0], set: { property: 'top' } } };
    expect(dropReplaced([sheet(1), rule, sheet(3)])).toHaveLength(3);
  });

  it('keeps what led to how far something scrolls', () => {
    const change = (at: number, name: string) =>
      mutation(at, { attributes: [{ id: 7, attributes: { class: name } }], texts: [{ id: 8, value: name }] });
    const events = [change(1, 'ready'), { type: 3, timestamp: 2, data: { source: 3, id: 1, x: 0, y: 3000 } }];
    events.push(change(3, 'ready modal-open'));
    expect(dropReplaced(events)).toEqual(events);
  });

  it('keeps the last value of each attribute, and what changes a style by its properties', () => {
    const change = (at: number, attributes: Record<string, unknown>) =>
      mutation(at, { attributes: [{ id: 7, attributes }] });
    const attributesLeft = (...events: ReturnType<typeof change>[]) =>
      dropReplaced(events).map(({ data }) => (data.attributes as { attributes: unknown }[])[0]?.attributes);
    expect(attributesLeft(change(1, { class: 'a', title: 'x' }), change(2, { class: null }))).toEqual([
      { title: 'x' },
      { class: null },
    ]);
    const [color, width] = [{ style: { color: 'red' } }, { style: { width: '1px' } }];
    expect(attributesLeft(change(1, color), change(2, width))).toEqual([color, width]);
    expect(attributesLeft(change(1, color), change(2, { style: 'top: 0' }), change(3, width))).toEqual([
      { style: 'top: 0' },
      width,
    ]);
    const special = { rr_width: '1px', class: 'a' };
    expect(attributesLeft(change(1, special), change(2, { class: 'b' }))).toEqual([special, { class: 'b' }]);
  });
});

describe('style sheets', () => {
  const images = new ImagePolicy(['cdn.example', '*.img.example', 'https://secure.example:8443']);

  it('leaves harmless rules as they are', () => {
    const css = 'a:hover{color:red}@media (min-width:1px){b{margin:0 1px}}';
    expect(sanitizeCss(css, images)).toBe(css);
  });

  it('keeps inline and allowed images, without a referrer, and blanks the rest', () => {
    const css = sanitizeCss(
      'a{background:url(https://cdn.example/x.png),url(data:image/png;base64,AA),url(https://evil.example/y)}',
      images,
    );
    expect(css).toContain('url("https://cdn.example/x.png" referrer-policy(no-referrer))');
    expect(css).toContain('url("data:image/png;base64,AA")');
    expect(css).not.toContain('evil');
  });

  it('keeps what stands behind an import', () => {
    expect(sanitizeCss('@import url("https://evil.example/a;b");p{color:red}', images)).toBe('p{color:red}');
  });

  it('knows allowed hosts exactly', () => {
    const allowed = [
      'https://cdn.example/a',
      'http://cdn.example/a',
      'https://a.img.example/',
      'https://secure.example:8443/x',
    ];
    const refused = [
      'https://img.example/',
      'https://xcdn.example/',
      'https://cdn.example:81/',
      'http://secure.example:8443/',
      'https://cdn.example@evil.example/',
      'blob:https://cdn.example/1',
      'data:text/html,x',
    ];
    expect(allowed.map((url) => images.allow(url) !== null)).toEqual(allowed.map(() => true));
    expect(refused.map((url) => images.allow(url))).toEqual(refused.map(() => null));
  });
});
