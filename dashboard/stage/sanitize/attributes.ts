/** What is left of an element's attributes: nothing that runs, navigates, submits, focuses or fetches. */
import type { Fields } from '../recorded';
import { sanitizeCss } from './css';
import { BLANK_IMAGE, type ImagePolicy } from './images';

/** Attributes that name something to load, run, open or steal focus, on whatever element they stand. */
const REFUSED = new Set([
  'action',
  'allow',
  'archive',
  'attributionsrc',
  'autofocus',
  'autoplay',
  'cite',
  'classid',
  'code',
  'codebase',
  'command',
  'commandfor',
  'content',
  'contextmenu',
  'crossorigin',
  'csp',
  'data',
  'download',
  'dynsrc',
  'formaction',
  'formtarget',
  'http-equiv',
  'imagesizes',
  'imagesrcset',
  'integrity',
  'is',
  'itemid',
  'longdesc',
  'lowsrc',
  'manifest',
  'name',
  'nonce',
  'ping',
  'popovertarget',
  'profile',
  'referrerpolicy',
  'sandbox',
  'shadowrootmode',
  'srcdoc',
  'srcobject',
  'target',
  'accesskey',
  'usemap',
  'xlink:show',
  'xlink:actuate',
  'xml:base',
  'from',
  'to',
  'by',
  'values',
  'interestfor',
]);

/** `name` groups radio buttons, and only there. */
const NAMED = new Set(['input', 'select', 'textarea', 'button', 'slot', 'fieldset', 'details']);

/** SMIL animations of anything but looks are refused, so their values stay on for looks alone. */
const ANIMATIONS = new Set(['animate', 'set', 'animatetransform', 'animatemotion', 'animatecolor']);
const ANIMATED_LOOKS =
  /^(?:d|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|width|height|points|offset|opacity|fill|stroke|transform|viewBox|stroke-[a-z]+|fill-[a-z]+|stop-[a-z]+|visibility|display|gradientTransform|stdDeviation|baseFrequency)$/i;
const ANIMATION_VALUES = new Set(['from', 'to', 'by', 'values']);

/** Attributes of rrweb's own that carry a size, a scroll position or a state. */
const RECORDER_NUMBERS = new Set(['rr_scrollLeft', 'rr_scrollTop']);
const RECORDER_SIZES = new Set(['rr_width', 'rr_height']);
const SIZE = /^-?\d{1,6}(?:\.\d{1,12})?(?:px)?$/;

const ATTRIBUTE_NAME = /^[a-zA-Z_:@][\w:.@-]{0,200}$/;

export class AttributePolicy {
  constructor(readonly images: ImagePolicy) {}

  /** `tag` is in lower case; "" when the element is not known. */
  sanitize(tag: string, attributes: Fields): Fields {
    const kept: Fields = {};
    for (const [name, value] of Object.entries(attributes)) {
      const safe = this.sanitizeOne(tag, name, value, attributes);
      if (safe !== undefined) kept[name] = safe;
    }
    if (tag === 'img' && ('src' in kept || 'srcset' in kept)) kept.referrerpolicy = 'no-referrer';
    return kept;
  }

  /** The value to keep, `null` for "removed", `undefined` for "refuse". */
  private sanitizeOne(tag: string, name: string, value: unknown, all: Fields): unknown {
    if (!ATTRIBUTE_NAME.test(name) || name === '__proto__') return undefined;
    const lower = name.toLowerCase();
    if (lower.startsWith('on')) return undefined;
    if (name.startsWith('rr_')) return this.recorderAttribute(tag, name, value);
    if (name === '_cssText') return typeof value === 'string' ? sanitizeCss(joinShares(value), this.images) : undefined;
    if (value === null || typeof value === 'boolean' || typeof value === 'number')
      return REFUSED.has(lower) ? undefined : value;
    if (lower === 'style') return this.styleAttribute(value);
    if (typeof value !== 'string') return undefined;
    if (ANIMATION_VALUES.has(lower) && ANIMATIONS.has(tag)) return this.animationValue(value, all);
    if (lower === 'name') return NAMED.has(tag) ? value : undefined;
    if (REFUSED.has(lower)) return undefined;
    return this.text(tag, lower, value);
  }

  private text(tag: string, name: string, value: string): string | undefined {
    switch (name) {
      case 'href':
      case 'xlink:href':
        return this.reference(tag, value);
      case 'src':
        if (tag === 'img' || tag === 'input') return this.images.allow(value) ?? BLANK_IMAGE;
        return undefined;
      case 'srcset':
        return tag === 'img' || tag === 'source' ? (this.images.allowSet(value) ?? undefined) : undefined;
      case 'poster':
      case 'background':
        return this.images.allow(value) ?? undefined;
      default:
        return sanitizeCssLike(value, this.images);
    }
  }

  /** Links keep looking like links and lead nowhere; SVG may refer to its own document and to allowed images. */
  private reference(tag: string, value: string): string | undefined {
    if (tag === 'a' || tag === 'area') return '#';
    if (tag === 'image' || tag === 'feimage') return this.images.allow(value) ?? BLANK_IMAGE;
    return value.startsWith('#') ? value : undefined;
  }

  private styleAttribute(value: unknown): unknown {
    if (typeof value === 'string') return sanitizeCss(value, this.images);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const kept: Fields = {};
    for (const [property, setting] of Object.entries(value)) {
      const safe = this.styleSetting(setting);
      if (safe !== undefined && property !== '__proto__') kept[property] = safe;
    }
    return kept;
  }

  private styleSetting(setting: unknown): unknown {
    if (setting === false) return false;
    if (typeof setting === 'string') return sanitizeCss(setting, this.images);
    if (!Array.isArray(setting) || typeof setting[0] !== 'string') return undefined;
    return [sanitizeCss(setting[0], this.images), setting[1] === 'important' ? 'important' : ''];
  }

  private animationValue(value: string, all: Fields): string | undefined {
    const target = all.attributeName;
    if (target !== undefined && !(typeof target === 'string' && ANIMATED_LOOKS.test(target))) return undefined;
    return sanitizeCssLike(value, this.images);
  }

  private recorderAttribute(tag: string, name: string, value: unknown): unknown {
    if (name === 'rr_dataURL') {
      const inline = typeof value === 'string' && value.startsWith('data:') ? this.images.allow(value) : null;
      return (tag === 'canvas' || tag === 'img') && inline !== null ? inline : undefined;
    }
    if (RECORDER_NUMBERS.has(name)) return typeof value === 'number' ? value : undefined;
    if (RECORDER_SIZES.has(name)) return typeof value === 'string' && SIZE.test(value) ? value : undefined;
    if (name === 'rr_open_mode') return value === 'modal' || value === 'non-modal' ? value : undefined;
    return undefined;
  }
}

/**
 * rrweb marks where it guesses that the text nodes of a style element end. Taken out later, the marks would join what was
 * checked apart; left in, they cut values in two. The whole text goes into the first node instead.
 */
function joinShares(css: string): string {
  return css.replaceAll('/* rr_split */', '');
}

/** Presentation attributes (`fill`, `mask`, `filter`, `cursor` …) are CSS; plain text passes as it is. */
function sanitizeCssLike(value: string, images: ImagePolicy): string {
  return /url\s*\(|image-set|\\/i.test(value) ? sanitizeCss(value, images) : value;
}
