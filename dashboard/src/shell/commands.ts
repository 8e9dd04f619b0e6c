import type { IconName } from '../ui';

export interface Command {
  id: string;
  icon: IconName;
  label: string;
  hint?: string;
  /** Shown whatever was typed. */
  always?: boolean;
  run: () => void;
}

/** The commands whose label holds every typed word, in their own order. */
export function findCommands(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return commands.filter(
    (command) => command.always ?? words.every((word) => command.label.toLowerCase().includes(word)),
  );
}

export interface SessionReference {
  project: string;
  session: string;
  /** Milliseconds from the session's start; null when the text names no moment. */
  at_ms: number | null;
}

/** Reads a session id, or a link to a session, out of what was typed or pasted. */
export function readSessionReference(text: string, currentProject: string): SessionReference | null {
  const trimmed = text.trim();
  if (/^[0-9a-f]{32}$/i.test(trimmed)) return { project: currentProject, session: trimmed.toLowerCase(), at_ms: null };
  const link = /\/p\/([0-9a-z]+)\/sessions\/([0-9a-f]{32})(?:\?(.*))?$/i.exec(trimmed);
  if (!link) return null;
  const [, project = '', session = '', query = ''] = link;
  const at = new URLSearchParams(query).get('t');
  return { project, session: session.toLowerCase(), at_ms: at !== null && /^\d+$/.test(at) ? Number(at) : null };
}

/** Reads a link to an issue out of what was pasted. */
export function readIssueReference(text: string): { project: string; issue: string } | null {
  const [, project, issue] = /\/p\/([0-9a-z]+)\/issues\/([0-9a-f]{32})(?:\?.*)?$/i.exec(text.trim()) ?? [];
  return project === undefined || issue === undefined ? null : { project, issue: issue.toLowerCase() };
}
