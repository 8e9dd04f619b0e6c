import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestSignal } from '../../src/signal.js';
import { launch } from '../browser.js';
import { CapturedPage } from './open.js';
import { Site } from './site.js';

const site = new Site();
let browser: Browser;

beforeAll(async () => {
  await site.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await site.stop();
});

/** Enough for the browser's own account and the next frame to come first on any machine. */
const PATIENCE = 40;

/** The requests whose path has this beginning. */
function of(requests: RequestSignal[], path: string): RequestSignal[] {
  return requests.filter(({ url }) => new URL(url).pathname.startsWith(path));
}

describe('fetch', () => {
  test('an answer is told with status, sizes, phases, server timing and the frame that followed', async () => {
    const captured = await CapturedPage.open(browser, site, { patience: PATIENCE });
    const body = await captured.page.evaluate(async () =>
      (await fetch('/timed?token=abc', { method: 'post', body: 'hé' })).json(),
    );
    expect(body).toEqual({ ok: true });
    const request = await captured.first('request');
    expect(request).toMatchObject({
      api: 'fetch',
      method: 'POST',
      status: 200,
      outcome: 'ok',
      request_bytes: 3,
      response_bytes: 11,
    });
    expect(request.url).toBe(site.url('/timed?token=******'));
    expect(request.duration_ms).toBeGreaterThanOrEqual(55);
    expect(request.timing?.wait_ms).toBeGreaterThanOrEqual(55);
    expect(request.timing).not.toHaveProperty('send_ms');
    expect(request.timing).not.toHaveProperty('tls_ms');
    expect(request.server_timing).toEqual([
      { name: 'db', duration_ms: 12.5, description: 'Orders' },
      { name: 'cache' },
    ]);
    expect(request.frontend_ms).toBeGreaterThan(0);
    for (const name of ['request_body', 'response_body', 'request_headers', 'response_headers']) {
      expect(request).not.toHaveProperty(name);
    }
    await captured.close();
  });

  test('a GraphQL request tells the name of its operation, and nothing of its text', async () => {
    const captured = await CapturedPage.open(browser, site);
    await captured.page.evaluate(async () => {
      const query = 'mutation PlaceOrder($card: String!) { order(card: $card) { secretField } }';
      const body = JSON.stringify({ query, variables: { card: '4111' } });
      await fetch('/graphql', { method: 'POST', body });
      await new Promise((resolve) => {
        const xhr = new XMLHttpRequest();
        xhr.open('POST', '/graphql');
        xhr.onloadend = resolve;
        xhr.send(body.replaceAll('PlaceOrder', 'Cart'));
      });
    });
    const requests = of(await captured.atLeast('request', 2), '/graphql');
    expect(requests.map(({ operation }) => operation).sort()).toEqual(['Cart', 'PlaceOrder']);
    expect(JSON.stringify(requests)).not.toMatch(/secretField|4111|mutation/);
    await captured.close();
  });

  test('failures are told apart: status, network, abort, timeout', async () => {
    const captured = await CapturedPage.open(browser, site);
    const seen = await captured.page.evaluate(async () => {
      const name = (promise: Promise<unknown>): Promise<string> => promise.then(String, (error: Error) => error.name);
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 30);
      const reasoned = new AbortController();
      setTimeout(() => reasoned.abort('no longer wanted'), 30);
      return Promise.all([
        name(fetch('/status/502')),
        name(fetch('/drop')),
        name(fetch('/never?a', { signal: abort.signal })),
        name(fetch('/never?b', { signal: AbortSignal.timeout(30) })),
        name(fetch('/never?c', { signal: reasoned.signal })),
        name(fetch('http://[broken')),
      ]);
    });
    expect(seen).toEqual(['[object Response]', 'TypeError', 'AbortError', 'TimeoutError', undefined, 'TypeError']);
    const requests = await captured.atLeast('request', 5);
    const outcomes = requests.map(({ url, outcome, status }) => [url.replace(site.url(''), ''), outcome, status]);
    expect(outcomes.sort()).toEqual([
      ['/drop', 'network_error', undefined],
      ['/never?a', 'aborted', undefined],
      ['/never?b', 'timeout', undefined],
      ['/never?c', 'aborted', undefined],
      ['/status/502', 'http_error', 502],
    ]);
    await captured.close();
  });

  test('the page sees the same: errors, rejections that nobody handles, name, length and text', async () => {
    const captured = await CapturedPage.open(browser, site);
    const seen = await captured.page.evaluate(async () => {
      const unhandled = new Promise<string>((resolve) => {
        addEventListener('unhandledrejection', (event) => resolve(event.reason.message), { once: true });
      });
      void fetch('/drop');
      const reason = new Error('mine');
      const own = await fetch('/json', { signal: AbortSignal.abort(reason) }).catch(
        (error: unknown) => error === reason,
      );
      const bad = await fetch('/json', { method: 'CONNECT' }).catch((error: Error) => error.name);
      const response = await fetch(new Request('/json', { method: 'POST', body: 'x' }));
      return {
        unhandled: await unhandled,
        own,
        bad,
        isPromise: fetch('/json') instanceof Promise,
        isResponse: response instanceof Response,
        unread: !response.bodyUsed,
        name: fetch.name,
        length: fetch.length,
        text: String(fetch),
      };
    });
    expect(seen).toEqual({
      unhandled: 'Failed to fetch',
      own: true,
      bad: 'TypeError',
      isPromise: true,
      isResponse: true,
      unread: true,
      name: 'fetch',
      length: 1,
      text: expect.stringContaining('[native code]'),
    });
    await captured.close();
  });

  test('requests that cannot be told apart stay unknown', async () => {
    const captured = await CapturedPage.open(browser, site);
    await captured.page.evaluate(async () => {
      // Twins of the same moment by the page's clock, as they are where a browser makes that clock coarse.
      const native = performance.now.bind(performance);
      const moment = native();
      performance.now = () => moment;
      const twins = [fetch('/slow?ms=20'), fetch('/slow?ms=20')];
      performance.now = native;
      await Promise.all(twins);
    });
    const twins = await captured.atLeast('request', 2);
    for (const twin of twins) {
      expect(twin).toMatchObject({ outcome: 'ok', status: 200 });
      expect(twin).not.toHaveProperty('timing');
      expect(twin).not.toHaveProperty('frontend_ms');
    }
    await captured.close();
  });

  test('what the browser does not show of another origin stays unknown', async () => {
    const captured = await CapturedPage.open(browser, site, { patience: PATIENCE });
    await captured.page.evaluate(
      async (foreign) => {
        await fetch(foreign);
        await fetch('/json');
      },
      site.url('/json', 1),
    );
    const requests = await captured.atLeast('request', 2);
    const foreign = requests.find(({ url }) => url === site.url('/json', 1));
    expect(foreign).toMatchObject({ status: 200, outcome: 'ok' });
    expect(foreign).not.toHaveProperty('timing');
    expect(foreign).not.toHaveProperty('server_timing');
    const own = requests.find(({ url }) => url === site.url('/json'));
    expect(own?.timing?.wait_ms).toBeGreaterThan(0);
    await captured.close();
  });

  test('a request that starts long after the call began is found all the same', async () => {
    const captured = await CapturedPage.open(browser, site, { patience: PATIENCE });
    await captured.page.evaluate(async () => {
      window.harness.stop();
      const native = window.fetch;
      window.fetch = (...values) => {
        const end = performance.now() + 100;
        while (performance.now() < end);
        return native(...values);
      };
      window.harness.start();
      await window.harness.ready();
      await fetch('/json');
    });
    const request = await captured.first('request');
    expect(request.timing?.wait_ms).toBeGreaterThan(0);
    await captured.close();
  });

  test('bodies and headers go along only where allowed, masked, and the page still reads its own', async () => {
    const captured = await CapturedPage.open(browser, site, {
      options: { networkBodies: ['/json', '/stream'], networkHeaders: ['content-type', 'x-tenant', 'authorization'] },
    });
    const read = await captured.page.evaluate(async () => {
      const headers = { 'X-Tenant': 'blue', Authorization: 'Bearer abcdefghijkl', 'Content-Type': 'application/json' };
      const sent = JSON.stringify({ user: 'ada', password: 'correct horse' });
      const first = await fetch('/json', { method: 'POST', headers, body: sent });
      const second = await fetch(new Request('/json', { method: 'POST', headers, body: sent }));
      const stream = await fetch('/stream');
      const chunk = await stream.body?.getReader().read();
      await fetch('/slow?ms=1', { method: 'POST', body: sent });
      return [await first.json(), await second.json(), new TextDecoder().decode(chunk?.value)];
    });
    expect(read[0]).toMatchObject({ items: [1, 2, 3], password: 'hunter2' });
    expect(read[1]).toEqual(read[0]);
    expect(read[2]).toBe('data: one\n\n');
    const requests = await captured.atLeast('request', 4);
    for (const request of of(requests, '/json')) {
      expect(JSON.parse(request.request_body ?? '')).toEqual({ user: 'ada', password: '******' });
      const answered = JSON.parse(request.response_body ?? '');
      expect(answered).toEqual({ items: [1, 2, 3], password: '******', nested: { token: '******' } });
      expect(request.request_headers).toEqual({ 'content-type': 'application/json', 'x-tenant': 'blue' });
      expect(request.response_headers).toEqual({ 'content-type': 'application/json' });
    }
    expect(of(requests, '/json')).toHaveLength(2);
    expect(of(requests, '/stream')[0]).not.toHaveProperty('response_body');
    expect(of(requests, '/slow')[0]).not.toHaveProperty('request_body');
    expect(JSON.stringify(requests)).not.toMatch(/hunter2|abc-secret|correct horse|abcdefghijkl/);
    expect(site.bodies.filter((body) => body.includes('correct horse'))).toHaveLength(3);
    await captured.close();
  });

  test('a request knows the click that started it, and our own requests are not told', async () => {
    const captured = await CapturedPage.open(browser, site, {
      html: `<button id="load" onclick="fetch('/json'); fetch('/v1/batches')">Load</button>`,
      endpoint: site.url(''),
    });
    await captured.page.click('#load');
    const request = await captured.first('request');
    const click = await captured.first('click');
    expect(request.click).toBe(click.id);
    await captured.page.waitForTimeout(600);
    await captured.page.evaluate(() => fetch('/timed'));
    const requests = await captured.atLeast('request', 2);
    expect(of(requests, '/timed')[0]).not.toHaveProperty('click');
    expect(of(requests, '/v1/')).toEqual([]);
    await captured.close();
  });

  test('a request knows its click even where a busy page heard of that late', async () => {
    const captured = await CapturedPage.open(browser, site, {
      html: `<button id="load" style="position:fixed;left:0;top:0;width:200px;height:200px" onclick="fetch('/json')">Load</button>`,
    });
    await captured.page.evaluate(() => {
      setTimeout(() => {
        const end = performance.now() + 2000;
        while (performance.now() < end);
      });
    });
    // By its place: looking for the element would wait until the page is free.
    await captured.page.mouse.click(100, 100);
    const request = await captured.first('request');
    const click = await captured.first('click');
    expect(request.click).toBe(click.id);
    await captured.close();
  });
});

describe('XMLHttpRequest', () => {
  test('outcomes, synchronous requests, and objects used again', async () => {
    const captured = await CapturedPage.open(browser, site);
    const texts = await captured.page.evaluate(async () => {
      const send = (path: string, prepare: (xhr: XMLHttpRequest) => void = () => undefined): Promise<string> => {
        return new Promise((resolve) => {
          const xhr = new XMLHttpRequest();
          xhr.open('get', path);
          prepare(xhr);
          xhr.onloadend = () => resolve(xhr.responseType === '' ? xhr.responseText : '');
          xhr.send();
        });
      };
      const answers = await Promise.all([
        send('/status/404'),
        send('/drop'),
        send('/never?a', (xhr) => setTimeout(() => xhr.abort(), 30)),
        send('/never?b', (xhr) => (xhr.timeout = 30)),
        send('/json?binary', (xhr) => (xhr.responseType = 'arraybuffer')),
      ]);
      const sync = new XMLHttpRequest();
      sync.open('GET', '/json?sync', false);
      sync.send();
      const again = new XMLHttpRequest();
      again.open('GET', '/never?c');
      again.send();
      again.open('GET', '/json?again');
      await new Promise((resolve) => {
        again.onload = resolve;
        again.send();
      });
      return [...answers, sync.responseText];
    });
    expect(texts[0]).toBe('{}');
    expect(texts[5]).toContain('items');
    const requests = await captured.atLeast('request', 8);
    const told = requests.map(({ url, outcome, status, api }) => [url.replace(site.url(''), ''), api, outcome, status]);
    expect(told.sort()).toEqual([
      ['/drop', 'xhr', 'network_error', undefined],
      ['/json?again', 'xhr', 'ok', 200],
      ['/json?binary', 'xhr', 'ok', 200],
      ['/json?sync', 'xhr', 'ok', 200],
      ['/never?a', 'xhr', 'aborted', undefined],
      ['/never?b', 'xhr', 'timeout', undefined],
      ['/never?c', 'xhr', 'aborted', undefined],
      ['/status/404', 'xhr', 'http_error', 404],
    ]);
    await captured.close();
  });

  test('sizes and phases', async () => {
    const captured = await CapturedPage.open(browser, site, { patience: PATIENCE });
    const text = await captured.page.evaluate(async () => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/timed');
      await new Promise((resolve) => {
        xhr.onloadend = resolve;
        xhr.send();
      });
      return xhr.responseText;
    });
    expect(text).toBe('{"ok":true}');
    const timed = await captured.first('request');
    expect(timed.timing?.wait_ms).toBeGreaterThanOrEqual(55);
    expect(timed.response_bytes).toBe(11);
    await captured.close();
  });
});

test('beacons and sockets', async () => {
  const captured = await CapturedPage.open(browser, site);
  const answer = await captured.page.evaluate(async () => {
    navigator.sendBeacon('/json?beacon', 'four');
    const socket = new WebSocket(location.href.replace('http', 'ws'));
    await new Promise((resolve) => (socket.onopen = resolve));
    const message = new Promise<string>((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
    socket.send('secret words');
    const text = await message;
    const closed = new Promise((resolve) => (socket.onclose = resolve));
    socket.close(1000, 'done');
    await closed;
    return { text, isSocket: socket instanceof WebSocket, name: WebSocket.name, open: WebSocket.OPEN };
  });
  expect(answer).toEqual({ text: 'secret words', isSocket: true, name: 'WebSocket', open: 1 });
  const beacon = await captured.first('request');
  expect(beacon).toMatchObject({ api: 'beacon', method: 'POST', outcome: 'ok', request_bytes: 4 });
  expect(beacon).not.toHaveProperty('status');
  const socket = await captured.atLeast('websocket', 4);
  expect(socket.map(({ op, direction, bytes }) => [op, direction, bytes])).toEqual([
    ['open', undefined, undefined],
    ['message', 'out', 12],
    ['message', 'in', 12],
    ['close', undefined, undefined],
  ]);
  expect(socket[3]).toMatchObject({ code: 1000 });
  expect(new Set(socket.map(({ id }) => id)).size).toBe(1);
  expect(JSON.stringify(socket)).not.toContain('secret words');
  await captured.close();
});

test('requests that are open when the page goes are told as aborted', async () => {
  const captured = await CapturedPage.open(browser, site);
  const told = await captured.page.evaluate(async () => {
    void fetch('/never').catch(() => undefined);
    void fetch('/never?kept', { keepalive: true }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    dispatchEvent(new PageTransitionEvent('pagehide'));
    return window.harness.signals.filter(({ k }) => k === 'request');
  });
  expect(told).toMatchObject([{ url: site.url('/never'), outcome: 'aborted' }]);
  await captured.close();
});

test('the undo brings the browser’s own back, and lets through what somebody else has wrapped', async () => {
  const captured = await CapturedPage.open(browser, site);
  const seen = await captured.page.evaluate(async () => {
    const ours = [window.fetch, XMLHttpRequest.prototype.send, console.log, history.pushState, window.WebSocket];
    const xhrSend = XMLHttpRequest.prototype.send;
    let wrapped = 0;
    XMLHttpRequest.prototype.send = function (...args) {
      wrapped++;
      return xhrSend.apply(this, args);
    };
    const outer = XMLHttpRequest.prototype.send;
    window.harness.stop();
    const now = [window.fetch, XMLHttpRequest.prototype.send, console.log, history.pushState, window.WebSocket];
    const before = window.harness.signals.length;
    await fetch('/json');
    const xhr = new XMLHttpRequest();
    xhr.open('GET', '/json');
    await new Promise((resolve) => {
      xhr.onload = resolve;
      xhr.send();
    });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    return {
      restored: now.map((callable, at) => callable !== ours[at]),
      kept: XMLHttpRequest.prototype.send === outer,
      wrapped,
      more: window.harness.signals.length - before,
      own: Object.hasOwn(Navigator.prototype, 'sendBeacon'),
    };
  });
  expect(seen).toEqual({ restored: [true, true, true, true, true], kept: true, wrapped: 1, more: 0, own: true });
  await captured.close();
});

test('installing twice tells everything once', async () => {
  const captured = await CapturedPage.open(browser, site);
  await captured.page.evaluate(async () => {
    window.harness.start();
    await fetch('/json');
    console.log('hello');
    // Everything that waits is told when the page may go.
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
  expect(await captured.signals('request')).toHaveLength(1);
  expect(await captured.signals('console')).toHaveLength(1);
  await captured.close();
});

test('an answer that keeps the page busy is told with its phases and the frame that came at last', async () => {
  const captured = await CapturedPage.open(browser, site, { patience: 1 });
  const answeredIn = await captured.page.evaluate(async (patience) => {
    const started = performance.now();
    await fetch('/timed');
    const answered = performance.now();
    while (performance.now() < answered + 2600);
    // The first wait is over by now; only another one can bring the account and the frame.
    window.patience = patience;
    return answered - started;
  }, PATIENCE);
  const request = await captured.first('request');
  expect(request.timing?.wait_ms).toBeGreaterThanOrEqual(55);
  expect(request.frontend_ms).toBeGreaterThan(2500);
  expect(request.duration_ms).toBeLessThanOrEqual(answeredIn + 1);
  await captured.close();
});

test('what happened while the page was away does not count as waiting for a frame', async () => {
  const captured = await CapturedPage.open(browser, site, { patience: PATIENCE });
  await captured.page.evaluate(async () => {
    const state = { value: 'visible' };
    Object.defineProperty(document, 'visibilityState', { get: () => state.value, configurable: true });
    const turn = (value: string): void => {
      state.value = value;
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    };
    turn('hidden');
    await fetch('/timed?away');
    await new Promise((resolve) => setTimeout(resolve, 50));
    turn('visible');
    await fetch('/timed?back');
  });
  const requests = await captured.atLeast('request', 2);
  const [away, back] = ['away', 'back'].map((name) => requests.find(({ url }) => url.endsWith(name)));
  expect(away?.timing?.wait_ms).toBeGreaterThan(0);
  expect(away).not.toHaveProperty('frontend_ms');
  expect(back?.frontend_ms).toBeGreaterThan(0);
  await captured.close();
});

test('a stand-in for fetch that answers with no promise is left as it is', async () => {
  const page = await browser.newPage();
  await page.goto(site.url('/page'));
  const answers = await page.evaluate(() => {
    const marker = { then: undefined };
    window.fetch = (() => marker) as unknown as typeof fetch;
    window.harness.start();
    return [(fetch('/json') as unknown) === marker, window.harness.failures];
  });
  expect(answers).toEqual([true, []]);
  await page.close();
});
