/**
 * The second line behind the document's content security policy: every recorded event passes here before rrweb sees it.
 * What is not understood is dropped.
 */
import { EventType, type Fields, isFields, isNumber, isRecordedEvent, type RecordedEvent, Source } from '../recorded';
import { sanitizeCss } from './css';
import { ImagePolicy } from './images';
import { NodeSanitizer } from './nodes';

const MAX_SIDE = 20_000;
const DEFAULT_SIZE = { width: 1280, height: 720 };

export class EventSanitizer {
  private readonly images: ImagePolicy;
  private readonly nodes: NodeSanitizer;

  constructor(imageHosts: readonly string[]) {
    this.images = new ImagePolicy(imageHosts);
    this.nodes = new NodeSanitizer(this.images);
  }

  /** The event, inert and changed in place, or null when it must not be played. */
  sanitize(event: unknown): RecordedEvent | null {
    if (!isRecordedEvent(event)) return null;
    switch (event.type) {
      case EventType.Meta:
        return this.meta(event);
      case EventType.FullSnapshot:
        return this.fullSnapshot(event);
      case EventType.Incremental:
        return this.incremental(event) ? event : null;
      default:
        return null;
    }
  }

  private meta(event: RecordedEvent): RecordedEvent {
    const href = event.data.href;
    const color_scheme = event.data.color_scheme === 'dark' ? 'dark' : 'light';
    event.data = { ...readSize(event.data), href: typeof href === 'string' ? href.slice(0, 8192) : '', color_scheme };
    return event;
  }

  private fullSnapshot(event: RecordedEvent): RecordedEvent | null {
    this.nodes.reset();
    if (!this.nodes.sanitize(event.data.node)) return null;
    const offset = isFields(event.data.initialOffset) ? event.data.initialOffset : {};
    event.data.initialOffset = { top: asNumber(offset.top), left: asNumber(offset.left) };
    return event;
  }

  private incremental(event: RecordedEvent): boolean {
    const data = event.data;
    switch (data.source) {
      case Source.Mutation:
        return this.mutation(data);
      case Source.MouseMove:
      case Source.TouchMove:
      case Source.Drag:
        return positions(data);
      case Source.MouseInteraction:
        return isNumber(data.type) && data.type >= 0 && data.type <= 10 && isNumber(data.id);
      case Source.Scroll:
        return isNumber(data.id) && isNumber(data.x) && isNumber(data.y);
      case Source.ViewportResize:
        Object.assign(data, readSize(data));
        return true;
      case Source.Input:
        return isNumber(data.id) && typeof data.text === 'string';
      case Source.StyleSheetRule:
        return this.styleRules(data);
      case Source.StyleDeclaration:
        return this.styleDeclaration(data);
      case Source.AdoptedStyleSheet:
        return this.adoptedSheets(data);
      case Source.Font:
        return inlineFont(data);
      case Source.Selection:
        return Array.isArray(data.ranges);
      default:
        return false;
    }
  }

  private mutation(data: Fields): boolean {
    const adds = fieldsOf(data.adds).filter(
      (add) => isNumber(add.parentId) && this.nodes.sanitize(add.node, this.nodes.tagOf(add.parentId)),
    );
    data.adds = adds;
    data.removes = fieldsOf(data.removes).filter((remove) => isNumber(remove.id) && isNumber(remove.parentId));
    data.texts = fieldsOf(data.texts).filter((text) => {
      if (!isNumber(text.id)) return false;
      text.value = typeof text.value === 'string' ? this.nodes.text(text.id, text.value) : null;
      return true;
    });
    data.attributes = fieldsOf(data.attributes).filter((change) => {
      if (!isNumber(change.id) || !isFields(change.attributes)) return false;
      change.attributes = this.nodes.attributes(change.id, change.attributes);
      return true;
    });
    return true;
  }

  private styleRules(data: Fields): boolean {
    if (data.adds !== undefined) data.adds = this.rules(data.adds);
    if (data.removes !== undefined) data.removes = fieldsOf(data.removes);
    for (const name of ['replace', 'replaceSync']) {
      const css = data[name];
      if (css !== undefined) data[name] = typeof css === 'string' ? sanitizeCss(css, this.images) : '';
    }
    return true;
  }

  private rules(value: unknown): Fields[] {
    return fieldsOf(value).filter((add) => {
      if (typeof add.rule !== 'string') return false;
      add.rule = sanitizeCss(add.rule, this.images);
      return true;
    });
  }

  private styleDeclaration(data: Fields): boolean {
    if (!Array.isArray(data.index)) return false;
    if (data.set !== undefined) {
      if (!isFields(data.set) || typeof data.set.property !== 'string') return false;
      data.set.value = typeof data.set.value === 'string' ? sanitizeCss(data.set.value, this.images) : null;
    }
    return data.remove === undefined || isFields(data.remove);
  }

  private adoptedSheets(data: Fields): boolean {
    if (!isNumber(data.id) || !Array.isArray(data.styleIds)) return false;
    if (data.styles !== undefined) {
      data.styles = fieldsOf(data.styles).filter((style) => {
        style.rules = this.rules(style.rules);
        return isNumber(style.styleId);
      });
    }
    return true;
  }
}

function fieldsOf(value: unknown): Fields[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isFields) : [];
}

function asNumber(value: unknown): number {
  return isNumber(value) ? value : 0;
}

function readSize(data: Fields): { width: number; height: number } {
  const side = (value: unknown, otherwise: number): number =>
    isNumber(value) && value >= 1 ? Math.min(value, MAX_SIDE) : otherwise;
  return { width: side(data.width, DEFAULT_SIZE.width), height: side(data.height, DEFAULT_SIZE.height) };
}

function positions(data: Fields): boolean {
  data.positions = fieldsOf(data.positions).filter(
    (position) =>
      isNumber(position.x) && isNumber(position.y) && isNumber(position.id) && isNumber(position.timeOffset),
  );
  return (data.positions as Fields[]).length > 0;
}

/** Only fonts whose bytes were recorded; anything else would be fetched. */
function inlineFont(data: Fields): boolean {
  if (typeof data.family !== 'string' || typeof data.fontSource !== 'string') return false;
  if (data.buffer === true) return /^\[[\d,\s]*\]$/.test(data.fontSource);
  return /^url\(["']?data:(?:font\/|application\/(?:x-)?font)[^)"']*["']?\)$/i.test(data.fontSource.trim());
}
