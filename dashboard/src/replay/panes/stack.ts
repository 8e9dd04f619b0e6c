/** Raw stacks of Chromium, Firefox and Safari, made readable: the function first, then the file's name and position. */

export interface StackLine {
  text: string;
  at: { url: string; file: string; position: string } | null;
}

const MOST_LINES = 60;
const CHROMIUM = /^\s*at (?:(.+?) \()?(.+?):(\d+:\d+)\)?$/;
const GECKO = /^(.*?)@(.+?):(\d+:\d+)$/;

export function readStack(stack: string): StackLine[] {
  return stack
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, MOST_LINES)
    .map(readLine);
}

function readLine(line: string): StackLine {
  const match = CHROMIUM.exec(line) ?? GECKO.exec(line);
  const [, name, url, position] = match ?? [];
  if (url === undefined || position === undefined) return { text: line.trim().replace(/^at /, ''), at: null };
  return {
    text: name === undefined || name === '' ? '(anonymous)' : name,
    at: { url: `${url}:${position}`, file: fileOf(url), position },
  };
}

function fileOf(url: string): string {
  const path = url.replace(/[?#].*$/, '');
  return path.slice(path.lastIndexOf('/') + 1) || path;
}
