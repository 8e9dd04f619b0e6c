import type { Privacy } from '../privacy/privacy.js';
import { isSecretName, MASK } from '../privacy/redact.js';

export interface SerializeLimits {
  depth: number;
  /** Members of one object, items of one array. */
  members: number;
  /** Characters of the whole text. */
  length: number;
}

interface Task {
  limits: SerializeLimits;
  privacy: Privacy;
  /** Objects on the way down: a repeated one is a cycle. */
  path: unknown[];
  /** Characters still to be had. */
  left: number;
  truncated: boolean;
}

function cut(text: string, task: Task): string {
  if (text.length > task.left) {
    task.truncated = true;
    text = text.slice(0, Math.max(0, task.left)) + '…';
  }
  task.left -= text.length;
  return text;
}

function nameOfClass(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!prototype) return 'null';
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof maker === 'function' && maker.name ? maker.name : 'Object';
}

function writeMembers(
  entries: Iterable<[string | undefined, () => string]>,
  count: number,
  brackets: string,
  task: Task,
): string {
  let text = brackets.charAt(0);
  let written = 0;
  for (const [name, write] of entries) {
    if (written === task.limits.members || task.left <= 0) break;
    if (written++) text += ', ';
    if (name !== undefined) text += `${cut(name, task)}: `;
    text += write();
  }
  if (written < count) {
    text += `${written ? ', ' : ''}… ${count - written} more`;
    task.truncated = true;
  }
  return text + brackets.charAt(1);
}

function* members(value: object, keys: string[], task: Task): Generator<[string, () => string]> {
  for (const key of keys) {
    // A descriptor, not the value: a getter may do anything.
    const descriptor = Object.getOwnPropertyDescriptor(value, key);
    if (!descriptor) continue;
    const write = (): string => {
      if (isSecretName(key)) return MASK;
      return 'value' in descriptor ? writeValue(descriptor.value, task, true) : '[getter]';
    };
    yield [key, write];
  }
}

function* items(values: Iterable<unknown>, task: Task): Generator<[undefined, () => string]> {
  for (const value of values) yield [undefined, () => writeValue(value, task, true)];
}

function* pairs(values: Map<unknown, unknown>, task: Task): Generator<[string, () => string]> {
  for (const [key, value] of Map.prototype.entries.call(values)) {
    const name = writeValue(key, task, false);
    yield [name, () => (isSecretName(name) ? MASK : writeValue(value, task, true))];
  }
}

function writeNode(node: Node, task: Task): string {
  if (node.nodeType === 1) return cut(`<${task.privacy.selectorOf(node as Element)}>`, task);
  return `[${node.nodeName}]`;
}

function writeInside(value: object, task: Task): string {
  if (Array.isArray(value)) return writeMembers(items(value, task), value.length, '[]', task);
  if (value instanceof Map) return `Map(${value.size}) ${writeMembers(pairs(value, task), value.size, '{}', task)}`;
  if (value instanceof Set) return `Set(${value.size}) ${writeMembers(items(value, task), value.size, '{}', task)}`;
  const keys = Object.keys(value);
  const name = nameOfClass(value);
  const inside = writeMembers(members(value, keys, task), keys.length, '{}', task);
  return name === 'Object' ? inside : `${name} ${inside}`;
}

function writeObject(value: object, task: Task): string {
  if (value instanceof Error) return cut(`${value.name}: ${value.message}`, task);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return cut(String(value), task);
  if (typeof Node === 'function' && value instanceof Node) return writeNode(value, task);
  if (ArrayBuffer.isView(value)) return `${nameOfClass(value)}(${value.byteLength} bytes)`;
  if (value instanceof Promise || value instanceof ArrayBuffer) return nameOfClass(value);
  if (task.path.includes(value)) return '[circular]';
  if (task.path.length >= task.limits.depth) {
    task.truncated = true;
    return Array.isArray(value) ? '[…]' : '{…}';
  }
  task.path.push(value);
  const text = writeInside(value, task);
  task.path.pop();
  return text;
}

function writeValue(value: unknown, task: Task, quoted: boolean): string {
  switch (typeof value) {
    case 'string':
      return quoted ? `"${cut(value, task)}"` : cut(value, task);
    case 'bigint':
      return `${cut(String(value), task)}n`;
    case 'function':
      return `[function ${cut(value.name || 'anonymous', task)}]`;
    case 'object':
      return value === null ? 'null' : writeObject(value, task);
    default:
      return cut(String(value), task);
  }
}

/** Any value as a short text that has passed the redaction; runs no getter of the value and never throws. */
export function serialize(
  value: unknown,
  privacy: Privacy,
  limits: SerializeLimits,
): { text: string; truncated: boolean } {
  const task: Task = { limits, privacy, path: [], left: limits.length, truncated: false };
  let text: string;
  try {
    text = writeValue(value, task, false);
  } catch {
    text = '[unreadable]';
  }
  // A quote that a cut left open would hide a name and its secret from the rules.
  const closed = task.truncated ? `${text}"` : text;
  const clean = privacy.redactText(closed);
  return { text: task.truncated && clean.endsWith('"') ? clean.slice(0, -1) : clean, truncated: task.truncated };
}
