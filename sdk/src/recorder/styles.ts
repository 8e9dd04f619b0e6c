import type { addedNodeMutation, serializedNodeWithId } from '@rrweb/types';
import type { NodeMirror } from './sanitizer.js';

const ELEMENT_NODE = 2;
const TEXT_NODE = 3;
/** rrweb's mark between the shares of a style element's text nodes. */
const SPLIT = '/* rr_split */';
/** Texts longer than this are not parsed a second time. */
const MAX_COMPARED = 256 * 1024;

export interface StyleNode {
  id: number;
  attributes: Record<string, string | number | boolean | null>;
  childNodes: serializedNodeWithId[];
}

interface TextNode {
  id: number;
  textContent: string;
  isStyle?: true;
}

function textsOf(nodes: readonly serializedNodeWithId[]): TextNode[] {
  return nodes.filter((node) => (node.type as number) === TEXT_NODE) as unknown as TextNode[];
}

/**
 * rrweb takes the whole sheet of a `<style>` as one attribute, guesses where its text nodes would end in it, and marks those
 * places with comments. A guess in the middle of a value breaks the value where the nodes come later, as they do in every
 * mutation; and text that the player puts outside the recorded nodes outlives their replacement. So the text goes back into
 * the nodes: as the page has it where that makes the same sheet, else all of it into the first.
 */
export function placeStyleText(style: StyleNode, children: readonly serializedNodeWithId[], mirror: NodeMirror): void {
  const marked = style.attributes._cssText;
  if (typeof marked !== 'string') return;
  const css = marked.split(SPLIT).join('');
  const texts = textsOf(children);
  const [first] = texts;
  if (!first) {
    style.attributes._cssText = css;
    return;
  }
  Reflect.deleteProperty(style.attributes, '_cssText');
  const live = texts.map((text) => mirror.getNode(text.id)?.nodeValue ?? '');
  if (texts.length > 1 && makesSheet(live.join(''), css)) {
    texts.forEach((text, index) => (text.textContent = live[index] ?? ''));
    return;
  }
  texts.forEach((text) => (text.textContent = ''));
  first.textContent = css;
  first.isStyle = true;
}

/** The same for style elements among added nodes, whose texts are added on their own. */
export function placeAddedStyleTexts(adds: readonly addedNodeMutation[], mirror: NodeMirror): void {
  const styles = new Map<number, { style: StyleNode; children: serializedNodeWithId[] }>();
  for (const { node } of adds) {
    if ((node.type as number) !== ELEMENT_NODE || (node as { tagName?: string }).tagName !== 'style') continue;
    styles.set(node.id, { style: node as unknown as StyleNode, children: [] });
  }
  if (styles.size === 0) return;
  for (const { parentId, node } of adds) styles.get(parentId)?.children.push(node);
  for (const { style, children } of styles.values()) placeStyleText(style, inOrder(children, mirror), mirror);
}

/** Mutations name later siblings first. */
function inOrder(nodes: serializedNodeWithId[], mirror: NodeMirror): serializedNodeWithId[] {
  return nodes.sort((one, other) => {
    const [left, right] = [mirror.getNode(one.id), mirror.getNode(other.id)];
    return left && right && left.compareDocumentPosition(right) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1;
  });
}

/** Whether `text` alone makes the sheet `css`: it does not once a script has changed rules. */
function makesSheet(text: string, css: string): boolean {
  // Addresses were made absolute in `css`, and may be cut in two between nodes, where nothing could redact them.
  if (text.length > MAX_COMPARED || css.includes('url(')) return false;
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return Array.from(sheet.cssRules, (rule) => rule.cssText).join('') === css;
  } catch {
    return false;
  }
}
