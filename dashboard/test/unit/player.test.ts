import { describe, expect, it } from 'vitest';
import type { FromStage, ToStage } from '../../src/replay/protocol';
import { Clock } from '../../src/replay/player/clock';
import { PlayerEngine } from '../../src/replay/player/engine';
import { focusAt, followFocus } from '../../src/replay/player/focus';
import { Activity } from '../../src/replay/player/inactivity';
import { gapAt, locate, type Manifest, type Segment, type Stream } from '../../src/replay/player/manifest';
import type { StagePort } from '../../src/replay/player/port';
import { putInSequence } from '../../src/replay/player/manifest-times';
import { SegmentGone, SegmentLoader } from '../../src/replay/player/segments';

function segment(seq: number, from_ms: number, to_ms: number, key_frame: boolean): Segment {
  const id = `s${String(seq)}`;
  return { id, href: `/segments/${id}`, from_ms, to_ms, first_seq: seq, last_seq: seq, key_frame, raw_bytes: 1000 };
}

function stream(id: string, segments: Segment[], more: Partial<Stream> = {}): Stream {
  const from_ms = segments[0]?.from_ms ?? 0;
  return { id, tab: 1, from_ms, to_ms: segments.at(-1)?.to_ms ?? 0, clock_offset_ms: 0, segments, gaps: [], ...more };
}

const minute = stream('one', [
  segment(0, 0, 9900, true),
  segment(1, 10_000, 19_900, false),
  segment(2, 20_000, 29_900, true),
  segment(3, 30_000, 60_000, false),
]);

function manifestOf(streams: Stream[], more: Partial<Manifest> = {}): Manifest {
  return {
    session_id: 's',
    state: 'complete',
    reasons: [],
    started_at: 1_000_000,
    ended_at: 1_060_000,
    duration_ms: 60_000,
    streams,
    image_hosts: [],
    ...more,
  };
}

/** A stage that answers at once, a loader without a network, and a clock that is moved by hand. */
function setUp(manifest: Manifest, answer: (segment: string) => Response = () => new Response('x')) {
  let now = 0;
  let frames: (() => void)[] = [];
  const sent: ToStage[] = [];
  const listeners = new Set<(message: FromStage) => void>();
  const tell = (message: FromStage) => {
    for (const listener of listeners) listener(message);
  };
  const port: StagePort = {
    send: (message) => {
      sent.push(message);
      if (message.kind === 'open') {
        const cost = { parse_ms: 0, build_ms: 0, total_ms: 0, events: 0 };
        tell({
          kind: 'opened',
          window: message.window,
          at: message.at,
          first: message.at,
          size: { width: 1, height: 1 },
          url: null,
          cost,
        });
      }
      if (message.kind === 'append')
        tell({ kind: 'appended', window: message.window, segment: message.segment, activity: [] });
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  let stale = 0;
  const loader = new SegmentLoader((href) => Promise.resolve(answer(href)));
  const engine = new PlayerEngine(manifest, {
    port,
    loader,
    now: () => now,
    frame: (callback) => {
      frames.push(callback);
      return () => (frames = frames.filter((each) => each !== callback));
    },
    onStale: () => (stale += 1),
  });
  engine.setSkipsInactivity(false);
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const advance = async (milliseconds: number, step = 100) => {
    for (let passed = 0; passed < milliseconds; passed += step) {
      now += step;
      const due = frames;
      frames = [];
      for (const callback of due) callback();
      await settle();
    }
  };
  const opens = () => sent.filter((message) => message.kind === 'open');
  const last = (kind: ToStage['kind']) => sent.findLast((message) => message.kind === kind);
  return { engine, sent, opens, last, settle, advance, staleCount: () => stale };
}

describe('clock', () => {
  it('runs at its rate, stops, and goes on from where it was set', () => {
    let now = 100;
    const clock = new Clock(() => now);
    clock.set(5000);
    clock.run(4);
    now += 250;
    expect(clock.time).toBe(6000);
    clock.stop();
    now += 1000;
    expect(clock.time).toBe(6000);
    clock.run(0.5);
    now += 100;
    expect(clock.time).toBe(6050);
  });
});

describe('where a moment lies', () => {
  it.each([
    [0, { key: 0, last: 0 }],
    [9950, { key: 0, last: 0 }],
    [10_000, { key: 0, last: 1 }],
    [20_000, { key: 2, last: 2 }],
    [99_000, { key: 2, last: 3 }],
  ])('%i ms', (at, place) => {
    expect(locate(minute, at)).toEqual(place);
  });

  it('before the first key frame it is the first key frame; without one there is no place', () => {
    expect(locate(stream('late', [segment(0, 100, 200, false), segment(1, 300, 400, true)]), 150)).toEqual({
      key: 1,
      last: 1,
    });
    expect(locate(stream('none', [segment(0, 0, 10, false)]), 5)).toBeNull();
  });

  it('short holes are no gaps', () => {
    const gaps = [
      { from_ms: 10, to_ms: 400, reason: 'missing' },
      { from_ms: 1000, to_ms: 4000, reason: 'offline' },
    ];
    expect(gapAt(stream('g', [], { gaps }), 20)).toBeNull();
    expect(gapAt(stream('g', [], { gaps }), 3999)?.reason).toBe('offline');
    expect(gapAt(stream('g', [], { gaps }), 4000)).toBeNull();
  });
});

describe('segments that seem to overlap', () => {
  it('begin where the one before ended, as only a request in them began earlier', () => {
    const overlapping = stream('o', [segment(0, 0, 3000, true), segment(1, 500, 6000, true)]);
    const [first, second] = putInSequence(manifestOf([overlapping]) as never).streams[0]?.segments ?? [];
    expect([first?.from_ms, first?.to_ms, second?.from_ms, second?.to_ms]).toEqual([0, 3000, 3000, 6000]);
  });

  it('leave those alone that follow one another', () => {
    expect(putInSequence(manifestOf([minute]) as never).streams[0]).toEqual(minute);
  });
});

describe('focus', () => {
  const streams = [stream('a', [segment(0, 0, 60_000, true)]), stream('b', [segment(0, 10_000, 60_000, true)])];

  it('goes to a tab that becomes visible, and back when it is hidden', () => {
    const focus = followFocus(streams, [
      { at_ms: 9900, stream: 'a', kind: 'visibility', visible: false },
      { at_ms: 20_000, stream: 'b', kind: 'visibility', visible: false },
      { at_ms: 20_010, stream: 'a', kind: 'visibility', visible: true },
    ]);
    expect([0, 9950, 15_000, 20_500].map((at) => focusAt(focus, at))).toEqual(['a', 'a', 'b', 'a']);
  });

  it('of two visible windows it is the one where something was done last', () => {
    const focus = followFocus(streams, [
      { at_ms: 30_000, stream: 'a', kind: 'click' },
      { at_ms: 40_000, stream: 'b', kind: 'input' },
    ]);
    expect([29_000, 30_000, 40_000].map((at) => focusAt(focus, at))).toEqual(['b', 'a', 'b']);
  });

  it('a request in a hidden tab takes nothing away', () => {
    const focus = followFocus(streams, [{ at_ms: 50_000, stream: 'a', kind: 'request' }]);
    expect(focusAt(focus, 55_000)).toBe('b');
  });
});

describe('inactivity', () => {
  it('skips to shortly before the next thing, never past what is known', () => {
    const activity = new Activity();
    activity.add([1000, 30_000, 30_500]);
    expect(activity.skipFrom(1500, 60_000)).toBe(29_000);
    expect(activity.skipFrom(1500, 20_000)).toBe(20_000);
    expect(activity.skipFrom(26_000, 60_000)).toBeNull();
    expect(activity.skipFrom(30_600, Number.POSITIVE_INFINITY)).toBeNull();
  });
});

describe('segment loader', () => {
  it('fetches each segment once while it is held, and forgets the least used beyond its bound', async () => {
    const asked: string[] = [];
    const loader = new SegmentLoader((href) => {
      asked.push(href);
      return Promise.resolve(new Response(new Uint8Array(100)));
    }, 250);
    const [a, b, c] = [segment(1, 0, 1, true), segment(2, 1, 2, true), segment(3, 2, 3, true)];
    await loader.load(a);
    await loader.load(b);
    await loader.load(a);
    await loader.load(c);
    await loader.load(a);
    await loader.load(b);
    expect(asked).toEqual([a.href, b.href, c.href, b.href]);
  });

  it('tells a segment that is gone from one that could not be had', async () => {
    const loader = new SegmentLoader(() => Promise.resolve(new Response(null, { status: 410 })));
    await expect(loader.load(segment(1, 0, 1, true))).rejects.toBeInstanceOf(SegmentGone);
  });

  it('passes on why the server had to stop early', async () => {
    const loader = new SegmentLoader(() =>
      Promise.resolve(new Response('x', { headers: { 'x-playhead-gap': 'bad-frame' } })),
    );
    expect((await loader.load(segment(1, 0, 1, true))).cut).toBe('bad-frame');
  });
});

describe('engine', () => {
  it('opens at the nearest key frame, with all that leads to the moment', async () => {
    const { engine, opens, settle } = setUp(manifestOf([minute]));
    engine.seek(15_000);
    await settle();
    expect(opens().map(({ at, chunks, speed }) => [at, chunks.length, speed])).toEqual([[1_015_000, 2, undefined]]);
    expect(engine.state).toMatchObject({ playing: false, waiting: false });
  });

  it('goes forward in its window, and builds a new one to go back', async () => {
    const { engine, opens, last, settle } = setUp(manifestOf([minute]));
    engine.seek(12_000);
    await settle();
    engine.seek(16_000);
    await settle();
    expect(opens()).toHaveLength(1);
    expect(last('pause')).toMatchObject({ at: 1_016_000 });
    engine.seek(3000);
    await settle();
    expect(opens()).toHaveLength(2);
  });

  it('appends what follows before it is needed, and plays to the end', async () => {
    const { engine, sent, opens, settle, advance } = setUp(manifestOf([minute]));
    engine.seek(0);
    await settle();
    engine.play();
    await advance(61_000, 500);
    expect(sent.filter((message) => message.kind === 'append').map(({ segment: id }) => id)).toEqual([
      's1',
      's2',
      's3',
    ]);
    expect(opens()).toHaveLength(1);
    expect(engine.state).toMatchObject({ playing: false, ended: true });
    expect(engine.time).toBe(60_000);
  });

  it('shows a gap for a moment, then goes on behind it', async () => {
    const gaps = [{ from_ms: 10_000, to_ms: 20_000, reason: 'offline' }];
    const { engine, settle, advance } = setUp(
      manifestOf([stream('one', [segment(0, 0, 10_000, true), segment(1, 20_000, 60_000, true)], { gaps })]),
    );
    engine.seek(9800);
    await settle();
    engine.play();
    await advance(500);
    expect(engine.state.gap?.reason).toBe('offline');
    await advance(2500);
    expect(engine.state.gap).toBeNull();
    expect(engine.time).toBeGreaterThanOrEqual(20_000);
    expect(engine.time).toBeLessThan(22_000);
  });

  it('changes the window with the tab in focus, unless one was chosen', async () => {
    const second = stream('two', [segment(0, 30_000, 60_000, true)], { tab: 2 });
    const { engine, settle } = setUp(manifestOf([minute, second]));
    engine.attend([{ at_ms: 30_000, stream: 'two', kind: 'page', visible: true }], []);
    engine.seek(40_000);
    await settle();
    expect(engine.state.stream).toBe('two');
    engine.choose('one');
    await settle();
    expect(engine.state.stream).toBe('one');
  });

  it('waits at the live edge and goes on when more is known', async () => {
    const live = (to: number) =>
      manifestOf([stream('one', [segment(0, 0, to, true)])], { state: 'live', duration_ms: to });
    const { engine, settle, advance } = setUp(live(5000));
    engine.seek(4000);
    await settle();
    engine.play();
    await advance(2000);
    expect(engine.state).toMatchObject({ playing: true, waiting: true });
    expect(engine.time).toBeLessThanOrEqual(5000);
    engine.update(
      manifestOf([stream('one', [segment(0, 0, 5000, true), segment(1, 5000, 9000, false)])], {
        state: 'live',
        duration_ms: 9000,
      }),
    );
    await settle();
    await advance(2000);
    expect(engine.time).toBeGreaterThan(5500);
  });

  it('without a recording the time runs all the same', async () => {
    const { engine, opens, advance } = setUp(manifestOf([stream('one', [])], { state: 'not_sampled' }));
    engine.seek(1000);
    engine.play();
    await advance(2000);
    expect(opens()).toHaveLength(0);
    expect(engine.time).toBe(3000);
  });

  it('a part that is gone stops the replay, says so, and asks for the manifest again', async () => {
    const { engine, settle, staleCount } = setUp(manifestOf([minute]), () => new Response(null, { status: 404 }));
    engine.seek(0);
    await settle();
    expect(engine.state.failure).toContain('changed on the server');
    expect(staleCount()).toBe(1);
  });
});
