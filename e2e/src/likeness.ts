// Is the replayed page the page that was there? Visible text and the boxes around it, and the pixels.
import type { Frame, Page } from 'playwright-core';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';

/** A visible text, or an element that is seen without one (`<input>`), and where it is. */
export interface Box {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Runs in the page: visible texts and element boxes, shadow roots included. Self-contained, since it travels as source. */
function collect(root: Document): Box[] {
  const found: Box[] = [];
  const view = root.defaultView!;
  const keep = (text: string, box: DOMRect): void => {
    const inside = box.bottom > 0 && box.right > 0 && box.top < view.innerHeight && box.left < view.innerWidth;
    if (box.width > 0 && box.height > 0 && inside) {
      found.push({ text, x: box.x, y: box.y, width: box.width, height: box.height });
    }
  };
  const visit = (node: Node): void => {
    if (node.nodeType === 3) {
      const text = (node.textContent ?? '').replace(/\s+/g, ' ').trim();
      const parent = node.parentElement;
      if (!text || (parent && view.getComputedStyle(parent).visibility === 'hidden')) return;
      const range = root.createRange();
      range.selectNodeContents(node);
      keep(text, range.getBoundingClientRect());
      return;
    }
    const element = node as Element;
    if (['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE'].includes(element.tagName)) return;
    const seenWithoutText = /^(input|textarea|select|button|img|svg|canvas|video|iframe|table|hr)$/i.test(
      element.tagName,
    );
    if (seenWithoutText && view.getComputedStyle(element).visibility !== 'hidden') {
      keep(`<${element.tagName.toLowerCase()}>`, element.getBoundingClientRect());
    }
    // What fields hold is masked in the replay by design.
    if (/^(textarea|select)$/i.test(element.tagName)) return;
    if (element.shadowRoot) element.shadowRoot.childNodes.forEach(visit);
    node.childNodes.forEach(visit);
  };
  visit(root.documentElement);
  return found;
}

/** The visible texts and boxes of a live page. */
export async function boxesOfPage(page: Page): Promise<Box[]> {
  return page.evaluate(`(${collect.toString()})(document)`);
}

/** The frame in which the player runs. */
export async function stageOf(page: Page): Promise<Frame> {
  const frame = page.frames().find((candidate) => new URL(candidate.url(), 'http://x').pathname === '/stage');
  if (!frame) throw new Error('the stage is not on the page');
  return frame;
}

/** The visible texts and boxes of the recorded page on the stage. */
export async function boxesOfStage(page: Page): Promise<Box[]> {
  const stage = await stageOf(page);
  return stage.evaluate(`(() => {
    const frames = [...document.querySelectorAll('iframe')].filter((f) => f.getBoundingClientRect().width > 0 && getComputedStyle(f).visibility !== 'hidden');
    const shown = frames[frames.length - 1];
    return shown && shown.contentDocument ? (${collect.toString()})(shown.contentDocument) : [];
  })()`);
}

/** The recorded page on the stage at its own size, without the viewer's drawing of the pointer. */
export async function pictureOfStage(page: Page): Promise<Buffer> {
  const stage = await stageOf(page);
  await stage.addStyleTag({
    content: '.window.shown { transform: none !important } .replayer-mouse { display: none }',
  });
  return stage.locator('.window.shown iframe').screenshot({ animations: 'disabled' });
}

/** Texts and boxes of `live` that `replayed` does not show within `tolerance` pixels of the same place. */
export function missing(live: Box[], replayed: Box[], tolerance = 2): Box[] {
  return live.filter(
    (box) =>
      !replayed.some(
        (other) =>
          other.text === box.text &&
          Math.abs(other.x - box.x) <= tolerance &&
          Math.abs(other.y - box.y) <= tolerance &&
          Math.abs(other.width - box.width) <= tolerance &&
          Math.abs(other.height - box.height) <= tolerance,
      ),
  );
}

/** The share of pixels that differ between two pictures of the same size (the smaller of each side counts). */
export function pixelDifference(a: Buffer, b: Buffer): number {
  const [left, right] = [PNG.sync.read(a), PNG.sync.read(b)];
  const [width, height] = [Math.min(left.width, right.width), Math.min(left.height, right.height)];
  const crop = (png: PNG): Buffer => {
    const out = new PNG({ width, height });
    PNG.bitblt(png, out, 0, 0, width, height, 0, 0);
    return out.data;
  };
  return pixelmatch(crop(left), crop(right), undefined, width, height, { threshold: 0.15 }) / (width * height);
}
