import type {
  addedNodeMutation,
  attributeMutation,
  eventWithTime,
  incrementalData,
  mutationData,
  serializedNodeWithId,
  styleSheetAddRule,
  textMutation,
} from '@rrweb/types';
import { type DomPrivacy, Level, type Standing } from '../privacy/index.js';
import { cleanAttribute, keepsMetaContent } from './attributes.js';
import { redactCss } from './css.js';
import { colorScheme } from './scheme.js';
import { placeAddedStyleTexts, placeStyleText, type StyleNode } from './styles.js';

// rrweb's numbers; its enums would come with code.
const DOM_CONTENT_LOADED = 0;
const LOAD = 1;
const FULL_SNAPSHOT = 2;
const INCREMENTAL = 3;
const META = 4;
const DOCUMENT_NODE = 0;
const ELEMENT_NODE = 2;
const TEXT_NODE = 3;
const SOURCE = {
  mutation: 0,
  mouseInteraction: 2,
  input: 5,
  styleSheetRule: 8,
  canvas: 9,
  font: 10,
  log: 11,
  styleDeclaration: 13,
  adoptedStyleSheet: 15,
} as const;

/** The live node of a recorded id. */
export interface NodeMirror {
  getNode(id: number): Node | null;
}

/** Where nothing is known of an element, the strictest holds. */
const UNKNOWN: Standing = { level: Level.Masked, field: true, blocked: false, ignored: true, allowed: false };

function isElement(node: Node | null | undefined): node is Element {
  return node?.nodeType === 1;
}

/**
 * Every rrweb event passes here before it is kept anywhere. rrweb's own options do not suffice: hidden, radio and checkbox
 * values, texts in attributes and values that a later key frame restores from the markup go through them.
 * Changes events in place: they are ours alone.
 */
export class Sanitizer {
  private memo = new Map<Element, Standing>();
  /** Id of the page's own document: 1, unless rrweb was started again. */
  private topId = 1;

  constructor(
    private readonly privacy: DomPrivacy,
    private readonly mirror: NodeMirror,
  ) {}

  /** False when nothing of the event may be kept. */
  clean(event: eventWithTime): boolean {
    // Attributes may change between two events, but not within one.
    this.memo = new Map();
    switch (event.type as number) {
      case DOM_CONTENT_LOADED:
      case LOAD:
        (event as { data: unknown }).data = {};
        return true;
      case META: {
        const data = event.data as { href: string; color_scheme?: string };
        data.href = this.privacy.redactUrl(data.href);
        data.color_scheme = colorScheme();
        return true;
      }
      case FULL_SNAPSHOT: {
        const { node } = event.data as { node: serializedNodeWithId };
        this.topId = node.id;
        this.node(node, undefined);
        return true;
      }
      case INCREMENTAL:
        return this.incremental(event.data as incrementalData);
      default:
        return false;
    }
  }

  private incremental(data: incrementalData): boolean {
    switch (data.source as number) {
      case SOURCE.mutation:
        return this.mutation(data as mutationData);
      case SOURCE.mouseInteraction:
        return !this.standingOf((data as { id: number }).id).ignored;
      case SOURCE.input:
        return this.input(data as unknown as { id: number; text: string; isChecked: boolean });
      case SOURCE.styleSheetRule:
      case SOURCE.styleDeclaration:
      case SOURCE.adoptedStyleSheet:
        this.styles(data as unknown as StyleData);
        return true;
      case SOURCE.canvas:
      case SOURCE.font:
      case SOURCE.log:
        return false;
      default:
        return true;
    }
  }

  private mutation(data: mutationData): boolean {
    placeAddedStyleTexts(data.adds, this.mirror);
    data.adds = data.adds.filter((add) => this.add(add));
    data.texts = data.texts.filter((text) => this.text(text));
    data.attributes = data.attributes.filter((change) => this.attributes(change));
    return data.adds.length + data.texts.length + data.attributes.length + data.removes.length > 0;
  }

  private add(add: addedNodeMutation): boolean {
    const parent = this.mirror.getNode(add.parentId);
    const standing = isElement(parent) ? this.privacy.standingOf(parent, this.memo) : undefined;
    if (standing?.blocked) return false;
    this.node(add.node, isElement(parent) ? { standing, tag: parent.localName } : undefined);
    return true;
  }

  private text(change: textMutation): boolean {
    const node = this.mirror.getNode(change.id);
    const parent = node?.parentElement;
    const standing = parent ? this.privacy.standingOf(parent, this.memo) : this.parentless(node);
    if (standing.blocked) return false;
    if (change.value) change.value = this.cleanText(change.value, standing, parent?.localName ?? '');
    return true;
  }

  /** A text right below a shadow root belongs to the host. */
  private parentless(node: Node | null): Standing {
    const host = (node?.parentNode as ShadowRoot | null | undefined)?.host;
    return host ? this.privacy.standingOf(host, this.memo) : UNKNOWN;
  }

  private attributes(change: attributeMutation): boolean {
    const node = this.mirror.getNode(change.id);
    const standing = this.standingOf(change.id);
    if (standing.blocked) return false;
    const tag = isElement(node) ? node.localName : '';
    for (const [name, value] of Object.entries(change.attributes)) {
      if (value !== null && typeof value === 'object') {
        this.styleObject(value as Record<string, unknown>);
        continue;
      }
      if (name === 'content' && isElement(node) && keepsMetaContent(tag, node.getAttribute('name'))) continue;
      const clean = cleanAttribute(tag, name, value, standing, this.privacy);
      if (clean === undefined) Reflect.deleteProperty(change.attributes, name);
      else change.attributes[name] = clean as string | null;
    }
    return Object.keys(change.attributes).length > 0;
  }

  private styleObject(style: Record<string, unknown>): void {
    for (const [property, value] of Object.entries(style)) {
      if (typeof value === 'string') style[property] = redactCss(value, this.privacy);
      else if (Array.isArray(value)) style[property] = [redactCss(String(value[0]), this.privacy), value[1]];
    }
  }

  private input(data: { id: number; text: string; isChecked: boolean }): boolean {
    const standing = this.standingOf(data.id);
    if (standing.ignored || standing.blocked) return false;
    if (standing.level !== Level.Open) data.text = data.text ? this.privacy.mask : '';
    else data.text = this.privacy.redactText(data.text);
    if (standing.level === Level.Masked) data.isChecked = false;
    return true;
  }

  private styles(data: StyleData): void {
    const clean = (rule: styleSheetAddRule): void => {
      rule.rule = redactCss(rule.rule, this.privacy);
    };
    data.adds?.forEach(clean);
    data.styles?.forEach((style) => style.rules.forEach(clean));
    if (data.replace) data.replace = redactCss(data.replace, this.privacy);
    if (data.replaceSync) data.replaceSync = redactCss(data.replaceSync, this.privacy);
    if (data.set?.value) data.set.value = redactCss(data.set.value, this.privacy);
  }

  private standingOf(id: number): Standing {
    const node = this.mirror.getNode(id);
    return isElement(node) ? this.privacy.standingOf(node, this.memo) : UNKNOWN;
  }

  private node(node: serializedNodeWithId, parent: Parent | undefined): void {
    // A restarted rrweb takes the page for a frame's document and says so at every node.
    if (node.rootId !== undefined && node.rootId === this.topId) delete node.rootId;
    switch (node.type as number) {
      case DOCUMENT_NODE:
        for (const child of (node as ParentNode).childNodes) this.node(child, parent);
        return;
      case ELEMENT_NODE:
        this.element(node as ElementNode);
        return;
      case TEXT_NODE: {
        const text = node as unknown as { textContent: string };
        if (text.textContent) text.textContent = this.cleanText(text.textContent, parent?.standing, parent?.tag ?? '');
        return;
      }
      default: {
        // Comments and CDATA speak to nobody who watches a replay.
        const silent = node as unknown as { textContent?: string };
        if (silent.textContent) silent.textContent = '';
      }
    }
  }

  private element(node: ElementNode): void {
    const standing = this.standingOf(node.id);
    const tag = node.tagName;
    const { attributes } = node;
    if (tag === 'style') placeStyleText(node as StyleNode, node.childNodes, this.mirror);
    const keptContent = keepsMetaContent(tag, attributes.name) ? attributes.content : undefined;
    for (const name in attributes) {
      const value = attributes[name] ?? null;
      const clean = cleanAttribute(tag, name, value, standing, this.privacy);
      if (clean === undefined) Reflect.deleteProperty(attributes, name);
      else if (clean !== value) attributes[name] = clean;
    }
    if (keptContent !== undefined) attributes.content = keptContent;
    if (standing.blocked) node.childNodes = [];
    const parent = { standing, tag };
    for (const child of node.childNodes) this.node(child, parent);
  }

  private cleanText(text: string, standing: Standing | undefined, parentTag: string): string {
    if (parentTag === 'style') return redactCss(text, this.privacy);
    if (parentTag === 'script' || parentTag === 'noscript') return '';
    const known = standing ?? UNKNOWN;
    if (known.level === Level.Open) return this.privacy.redactText(text);
    if (!/\S/.test(text)) return text;
    // Fields tell no length; a masked text keeps its words' places, so that the page keeps its shape.
    return known.field ? this.privacy.mask : text.replace(/\S+/g, '****');
  }
}

interface Parent {
  standing: Standing | undefined;
  tag: string;
}

type ParentNode = serializedNodeWithId & { childNodes: serializedNodeWithId[] };
type ElementNode = ParentNode & { tagName: string; attributes: Record<string, string | number | boolean | null> };

interface StyleData {
  adds?: styleSheetAddRule[];
  styles?: { rules: styleSheetAddRule[] }[];
  replace?: string;
  replaceSync?: string;
  set?: { value: string | null };
}
