import { parentOf } from './policy.js';

const MAX_STEPS = 5;
const MAX_LENGTH = 200;

/** Names that people gave; generated ones (hashes, record numbers) tell nothing and may identify somebody. */
function isReadable(name: string): boolean {
  return name.length <= 40 && /^[a-z_][\w-]*$/i.test(name) && !/\d{3}|[a-f\d]{8}|[A-Z\d]{5,}$/.test(name);
}

function step(element: Element): { text: string; unique: boolean } {
  let text = element.localName;
  if (element.id && isReadable(element.id)) return { text: `${text}#${element.id}`, unique: true };
  const role = element.getAttribute('role');
  if (role && isReadable(role)) text += `[role=${role}]`;
  let kept = 0;
  for (const name of element.classList) {
    if (kept === 2) break;
    if (!isReadable(name)) continue;
    text += `.${name}`;
    kept++;
  }
  return { text, unique: false };
}

/** Readable path such as `main > form#checkout > button.primary`: tags, ids, classes and roles alone. */
export function selectorOf(element: Element): string {
  const steps: string[] = [];
  for (let at: Element | null = element; at && steps.length < MAX_STEPS; at = parentOf(at)) {
    const { text, unique } = step(at);
    steps.unshift(text);
    if (unique || at.localName === 'body') break;
  }
  return steps.join(' > ').slice(-MAX_LENGTH);
}
