// The text of style elements: a template may write it in pieces, a script may change rules or replace the whole.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { launch } from '../browser.js';
import { Collector } from '../collector.js';

let browser: Browser;
let collector: Collector;
let page: Page;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  collector = new Collector();
  await collector.start();
  page = await browser.newPage();
});
afterEach(async () => {
  await page.close();
  await collector.stop();
});

interface Node {
  id: number;
  type: number;
  tagName?: string;
  textContent?: string;
  attributes?: Record<string, unknown>;
  childNodes?: Node[];
}

/** The text of every recorded style element, as its nodes stand after all that was recorded. */
class Styles {
  private readonly styles = new Map<number, { attribute: unknown; texts: Node[] }>();

  constructor() {
    for (const { type, data } of collector.events()) {
      if (type === 2) this.visit(data.node as Node);
      if (type === 3 && data.source === 0) this.mutate(data as never);
    }
  }

  /** The texts under each style element, and what is left as an attribute of it. */
  get all(): { attribute: unknown; texts: string[] }[] {
    return [...this.styles.values()].map(({ attribute, texts }) => ({
      attribute,
      texts: texts.map((text) => text.textContent ?? ''),
    }));
  }

  private visit(node: Node): void {
    if (node.tagName === 'style') {
      this.styles.set(node.id, { attribute: node.attributes?._cssText, texts: [...(node.childNodes ?? [])] });
    }
    node.childNodes?.forEach((child) => this.visit(child));
  }

  private mutate(data: {
    adds: { parentId: number; nextId: number | null; node: Node }[];
    removes: { parentId: number; id: number }[];
    texts: { id: number; value: string }[];
  }): void {
    for (const { parentId, id } of data.removes) {
      const style = this.styles.get(parentId);
      if (style) style.texts = style.texts.filter((text) => text.id !== id);
    }
    for (const { parentId, nextId, node } of data.adds) {
      this.visit(node);
      const texts = this.styles.get(parentId)?.texts;
      const place = texts?.findIndex((text) => text.id === nextId) ?? -1;
      texts?.splice(place < 0 ? texts.length : place, 0, node);
    }
    for (const { id, value } of data.texts) {
      for (const { texts } of this.styles.values()) {
        for (const text of texts) if (text.id === id) text.textContent = value;
      }
    }
  }
}

async function record(act: () => unknown, early = ''): Promise<Styles['all']> {
  collector.page('/', `${early}<main>page</main>`, { attributes: '' });
  await page.goto(collector.url('/'));
  await collector.until('the key frame', () => collector.keyFrames() > 0);
  await page.evaluate(act);
  await page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    document.querySelector('main')!.textContent = 'that is all';
  });
  await collector.until('the end', () => collector.everything().includes('that is all'));
  return new Styles().all;
}

it('keeps the pieces that a template wrote, so that one of them can change', async () => {
  const styles = await record(() => {
    const host = document.createElement('div');
    const style = document.createElement('style');
    const pieces = [':host { --small: ', '12px', '; --ink: ', '#4444', '44; } p { font-size: var(--small) }'];
    style.append(...pieces.map((piece) => document.createTextNode(piece)));
    host.attachShadow({ mode: 'open' }).append(style, document.createElement('p'));
    document.body.append(host);
    setTimeout(() => ((style.childNodes[1] as Text).data = '13px'), 50);
  });
  expect(styles).toEqual([
    {
      attribute: undefined,
      texts: [':host { --small: ', '13px', '; --ink: ', '#4444', '44; } p { font-size: var(--small) }'],
    },
  ]);
});

it('keeps rules that a script inserted, in one node and unbroken', async () => {
  const styles = await record(() => {
    const style = document.createElement('style');
    style.append('p { color: ', 'red }');
    document.head.append(style);
    style.sheet!.insertRule('h1 { margin: 12px }', 1);
  });
  expect(styles).toEqual([{ attribute: undefined, texts: ['p { color: red; }h1 { margin: 12px; }', ''] }]);
});

it('lets go of a text that was replaced', async () => {
  const styles = await record(() => {
    const style = document.createElement('style');
    style.textContent = 'p { color: red }';
    document.head.append(style);
    setTimeout(() => (style.textContent = 'p { color: blue }'), 50);
  });
  expect(styles).toEqual([{ attribute: undefined, texts: ['p { color: blue }'] }]);
});

it('redacts an address that lies across two pieces', async () => {
  const styles = await record(() => {
    const style = document.createElement('style');
    style.append('p { background: url("/none.png?to', 'ken=SECRET") }');
    document.head.append(style);
  });
  expect(collector.everything()).not.toContain('SECRET');
  expect(styles).toHaveLength(1);
  expect(styles[0]?.texts.join('')).toMatch(/url\("http.*\/none\.png\?token=\*{6}"\)/);
});

it('lets go of a text that was in the head before recording began', async () => {
  const early = '<style>p { color: red }</style>';
  const styles = await record(
    () => (document.head.querySelector('style')!.textContent = 'p { color: blue }'),
    `<script>document.head.insertAdjacentHTML('beforeend', '${early}')</script>`,
  );
  expect(styles).toEqual([{ attribute: undefined, texts: ['p { color: blue }'] }]);
});
