import { type DomPrivacy, Level, type Standing } from '../privacy/index.js';
import { redactCss } from './css.js';

/** Undefined: the attribute is not recorded. */
export type Clean = string | number | boolean | null | undefined;

const NEVER = new Set(['nonce', 'integrity', 'srcdoc', 'ping', 'attributionsrc', 'http-equiv']);
const ADDRESSES = new Set([
  'href',
  'src',
  'action',
  'formaction',
  'poster',
  'data',
  'background',
  'cite',
  'longdesc',
  'manifest',
  'xlink:href',
  'rr_src',
  'codebase',
  'classid',
  'usemap',
]);
/** Attributes that speak to the user. */
const TEXTS = new Set([
  'placeholder',
  'title',
  'alt',
  'label',
  'summary',
  'abbr',
  'download',
  'aria-label',
  'aria-description',
  'aria-valuetext',
  'aria-valuenow',
  'aria-placeholder',
  'aria-roledescription',
  'aria-braillelabel',
  'aria-brailleroledescription',
]);
/** Attributes that shape the page and hold nothing of anybody. */
const SHAPES =
  /^(class|id|for|type|name|rel|media|dir|lang|role|tabindex|(col|row)?span|rows|cols|size|width|height|align|valign|start|min|max|step|low|high|optimum|disabled|readonly|required|multiple|open|hidden|wrap|scope|headers|charset|as|sizes|loading|decoding|crossorigin|slot|part|popover|inert|is|xmlns(:\w+)?|version|d|points|viewbox|transform|preserveaspectratio|[cfr]?[xy][12]?|rx|ry|r|dx|dy|offset|fill[\w-]*|stroke[\w-]*|clip[\w-]*|mask|stop-[\w-]+|font[\w-]*|text-anchor|dominant-baseline|opacity|gradient[\w]+|pattern[\w]+|marker[\w-]*|filter|color|face|border|cell(padding|spacing)|bgcolor|rr_\w+|data-playhead|data-rr-is-password|autocomplete|inputmode|maxlength|minlength|method|enctype|target)$/;
/** Values of `data-` and unknown attributes that masked elements may keep: styles hang on them. */
const STATES =
  /^(|true|false|on|off|open|opened|closed|active|inactive|checked|unchecked|mixed|indeterminate|visible|hidden|disabled|enabled|selected|expanded|collapsed|top|bottom|left|right|start|end|center|horizontal|vertical|loading|loaded|light|dark|none|auto|\d{1,2})$/i;
const META_KEPT = /^(viewport|color-scheme|theme-color)$/i;
const IMAGE_DATA = /^\s*data:(image|font)\//i;
const EXECUTABLE = /^\s*(javascript|vbscript|data:text\/html)/i;
const FIELD_TAGS = /^(input|textarea|select|option|optgroup|datalist)$/;

/** Opaque enough to be a credential: long, without spaces, letters and digits mixed. */
function looksOpaque(value: string): boolean {
  return value.length >= 24 && /^[\w+/=.~:-]+$/.test(value) && /\d/.test(value) && /[a-z]/i.test(value);
}

function address(tag: string, value: string, standing: Standing, privacy: DomPrivacy): Clean {
  // The page's own references (an icon, a gradient) are shapes, and the ids that they name are recorded anyway.
  if (value.startsWith('#') && tag !== 'a' && tag !== 'area') return value;
  if (EXECUTABLE.test(value)) return undefined;
  if (IMAGE_DATA.test(value)) return standing.level === Level.Masked ? undefined : value;
  const clean = privacy.redactUrl(value);
  // What is masked keeps no more than a path.
  return standing.level === Level.Masked ? clean.replace(/[?#].*$/s, '') : clean;
}

function sourceSet(value: string, privacy: DomPrivacy): string {
  if (IMAGE_DATA.test(value)) return value;
  return value
    .split(/,\s+/)
    .map((candidate) => {
      const [url = '', ...rest] = candidate.trim().split(/\s+/);
      return [privacy.redactUrl(url), ...rest].join(' ');
    })
    .join(', ');
}

function fieldValue(tag: string, value: string, standing: Standing, privacy: DomPrivacy): Clean {
  if (tag === 'li' || tag === 'progress' || tag === 'meter') return standing.level === Level.Masked ? undefined : value;
  if (tag === 'input' || FIELD_TAGS.test(tag)) {
    if (!value) return value;
    return standing.level === Level.Open ? privacy.redactText(value) : privacy.mask;
  }
  // Of a button, `data` or `param` nothing of the value is seen.
  return undefined;
}

function other(name: string, value: string, standing: Standing, privacy: DomPrivacy): Clean {
  if (privacy.isSecretName(name)) return STATES.test(value) ? value : undefined;
  if (standing.level !== Level.Open) return STATES.test(value) ? value : undefined;
  if (looksOpaque(value)) return undefined;
  return privacy.redactText(value);
}

type Kind = 'never' | 'choice' | 'value' | 'css' | 'address' | 'shape' | 'set' | 'text' | 'aria' | 'other';

function classify(lower: string): Kind {
  if (lower.startsWith('on') || NEVER.has(lower) || lower === 'content') return 'never';
  if (lower === 'checked' || lower === 'selected') return 'choice';
  if (lower === 'value') return 'value';
  if (lower === 'style' || lower === '_csstext') return 'css';
  if (ADDRESSES.has(lower)) return 'address';
  if (SHAPES.test(lower)) return 'shape';
  if (lower === 'srcset' || lower === 'imagesrcset') return 'set';
  if (TEXTS.has(lower)) return 'text';
  return lower.startsWith('aria-') ? 'aria' : 'other';
}

/** Names come again and again; a page that makes up new ones without end does not fill memory. */
const kinds = new Map<string, Kind>();
const MAX_KINDS = 1_000;

function kindOf(name: string): Kind {
  let kind = kinds.get(name);
  if (kind === undefined) {
    kind = classify(name.toLowerCase());
    if (kinds.size < MAX_KINDS) kinds.set(name, kind);
  }
  return kind;
}

/** What may be recorded of one attribute of an element with this standing. */
export function cleanAttribute(
  tag: string,
  name: string,
  value: string | number | boolean | null,
  standing: Standing,
  privacy: DomPrivacy,
): Clean {
  const kind = kindOf(name);
  if (kind === 'shape') return value;
  if (kind === 'never') return undefined;
  if (kind === 'choice') return standing.level === Level.Masked ? undefined : value;
  if (typeof value !== 'string') return value;
  switch (kind) {
    case 'value':
      return fieldValue(tag, value, standing, privacy);
    case 'css':
      return redactCss(value, privacy);
    case 'address':
      return address(tag, value, standing, privacy);
    case 'set':
      return sourceSet(value, privacy);
    case 'text':
      if (!value) return value;
      return standing.level === Level.Open ? privacy.redactText(value) : privacy.mask;
    case 'aria':
      return standing.level === Level.Masked && value.length > 40 ? undefined : value;
    default:
      return other(name.toLowerCase(), value, standing, privacy);
  }
}

/** `content` of a meta element is kept for the few names that shape the page. */
export function keepsMetaContent(tag: string, metaName: unknown): boolean {
  return tag === 'meta' && typeof metaName === 'string' && META_KEPT.test(metaName);
}
