/** Serialized nodes, made inert in place. Remembers the tag of every element, since later changes name only its id. */
import { type Fields, isFields, isNumber, NodeKind } from '../recorded';
import { AttributePolicy } from './attributes';
import { sanitizeCss } from './css';
import type { ImagePolicy } from './images';

const MAX_DEPTH = 400;
const MAX_NODES = 400_000;

const ELEMENT_NAME = /^[a-z][a-z0-9:._-]{0,100}$/i;
const CUSTOM_ELEMENT_NAME = /^[a-z][a-z0-9._]*-[a-z0-9._-]*$/;
const RESERVED_CUSTOM_NAMES = new Set([
  'annotation-xml',
  'color-profile',
  'font-face',
  'font-face-src',
  'font-face-uri',
  'font-face-format',
  'font-face-name',
  'missing-glyph',
]);

/** Kept as an empty element that shows nothing, so that ids still resolve. */
const EMPTIED = new Set(['script', 'noscript', 'base', 'meta', 'param', 'track', 'bgsound']);

/** Shown as plain boxes: they would hold foreign documents. */
const BOXED = new Set([
  'object',
  'embed',
  'applet',
  'portal',
  'fencedframe',
  'frame',
  'frameset',
  'webview',
  'controlledframe',
]);

/** Attributes that a frame keeps: its looks. What was recorded inside it comes as nodes. */
const FRAME_LOOKS = new Set([
  'class',
  'id',
  'style',
  'width',
  'height',
  'frameborder',
  'hidden',
  'rr_width',
  'rr_height',
  'scrolling',
]);

export class NodeSanitizer {
  private readonly tags = new Map<number, string>();
  private readonly attributePolicy: AttributePolicy;
  private budget = MAX_NODES;

  constructor(private readonly images: ImagePolicy) {
    this.attributePolicy = new AttributePolicy(images);
  }

  /** Forgets all elements: a new page follows. */
  reset(): void {
    this.tags.clear();
    this.budget = MAX_NODES;
  }

  /** The tag of a known element, in lower case; "" when unknown. */
  tagOf(id: unknown): string {
    return (isNumber(id) && this.tags.get(id)) || '';
  }

  /** Whether the node may be built. It is changed in place. */
  sanitize(node: unknown, parentTag = '', depth = 0): node is Fields {
    if (!isFields(node) || !isNumber(node.type) || !isNumber(node.id) || depth > MAX_DEPTH) return false;
    this.budget -= 1;
    if (this.budget < 0) return false;
    switch (node.type) {
      case NodeKind.Document:
        return this.sanitizeChildren(node, '', depth);
      case NodeKind.DocumentType:
        return sanitizeDocumentType(node);
      case NodeKind.Element:
        return this.sanitizeElement(node, depth);
      case NodeKind.Text:
        return this.sanitizeText(node, parentTag);
      case NodeKind.CDATA:
      case NodeKind.Comment:
        node.type = NodeKind.Comment;
        node.textContent = '';
        return true;
      default:
        return false;
    }
  }

  attributes(id: unknown, attributes: Fields): Fields {
    const tag = this.tagOf(id);
    if (EMPTIED.has(tag)) return {};
    const looks = tag === 'iframe' ? onlyLooks(attributes) : attributes;
    return this.attributePolicy.sanitize(tag, tag === 'link' ? onlyStyles(looks) : looks);
  }

  /** Text that is put under an element with `id`, or replaces one of its text nodes. */
  text(id: unknown, value: string): string {
    const tag = this.tagOf(id);
    if (tag === 'style' || tag === '#style') return sanitizeCss(value, this.images);
    return EMPTIED.has(tag) ? '' : value;
  }

  private sanitizeText(node: Fields, parentTag: string): boolean {
    const text = typeof node.textContent === 'string' ? node.textContent : '';
    const isStyle = parentTag === 'style' || node.isStyle === true;
    node.textContent = isStyle ? sanitizeCss(text, this.images) : text;
    if (isStyle) this.tags.set(node.id as number, '#style');
    return true;
  }

  private sanitizeElement(node: Fields, depth: number): boolean {
    const recorded = typeof node.tagName === 'string' && ELEMENT_NAME.test(node.tagName) ? node.tagName : 'div';
    const lower = localName(recorded);
    const tag = BOXED.has(lower) ? 'div' : lower;
    this.tags.set(node.id as number, tag);
    node.tagName = tag === 'script' ? 'noscript' : tag;
    if (tag !== 'svg' && node.isSVG === true && EMPTIED.has(tag)) delete node.isSVG;
    if (node.isCustom === true && !isCustomName(tag)) delete node.isCustom;
    const attributes = isFields(node.attributes) ? node.attributes : {};
    node.attributes = EMPTIED.has(tag) ? {} : this.attributes(node.id, attributes);
    if (EMPTIED.has(tag)) {
      node.childNodes = [];
      delete node.isShadowHost;
      return true;
    }
    return this.sanitizeChildren(node, tag, depth);
  }

  private sanitizeChildren(node: Fields, tag: string, depth: number): boolean {
    const children = Array.isArray(node.childNodes) ? (node.childNodes as unknown[]) : [];
    node.childNodes = children.filter((child) => this.sanitize(child, tag, depth + 1));
    return true;
  }
}

/** Lower case, and without a prefix: `svg:script` is a script to some parsers. */
function localName(tag: string): string {
  const name = tag.toLowerCase();
  return name.slice(name.lastIndexOf(':') + 1) || 'div';
}

function isCustomName(tag: string): boolean {
  return CUSTOM_ELEMENT_NAME.test(tag) && !RESERVED_CUSTOM_NAMES.has(tag);
}

function sanitizeDocumentType(node: Fields): boolean {
  node.name = 'html';
  node.publicId =
    typeof node.publicId === 'string' && /^[\w\s+/().,:=?;!*#@$%-]{0,200}$/.test(node.publicId) ? node.publicId : '';
  node.systemId = typeof node.systemId === 'string' && /^[\w./:-]{0,200}$/.test(node.systemId) ? node.systemId : '';
  return true;
}

function onlyLooks(attributes: Fields): Fields {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => FRAME_LOOKS.has(name)));
}

/** A link is nothing but the style sheet that was recorded with it. */
function onlyStyles(attributes: Fields): Fields {
  const kept: Fields = {};
  if (typeof attributes._cssText === 'string') kept._cssText = attributes._cssText;
  for (const name of ['media', 'disabled', 'title']) if (name in attributes) kept[name] = attributes[name];
  return kept;
}
