import { LEFTOVER_BYTES } from '../limits.js';
import type { FixedHeader } from './batch.js';

/** What a document could not send before it went: masked like all else, kept for the tab's next document. */
export interface Leftover {
  name: string;
  header: FixedHeader;
  signals: Uint8Array;
  dom: Uint8Array;
}

const PREFIX = 'playhead:left:';

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Bounded, one key per batch in sessionStorage, so that a batch goes as soon as it is acknowledged. */
export class Leftovers {
  constructor(private readonly storage: Storage | undefined) {}

  /** False when it does not fit or the browser refuses. */
  put(header: FixedHeader, signals: Uint8Array, dom: Uint8Array): boolean {
    if (!this.storage) return false;
    const value = `${JSON.stringify(header)}\n${toBase64(signals)}\n${toBase64(dom)}`;
    try {
      // Storage counts UTF-16 units, and so do we: all characters here are ASCII.
      if (this.size() + value.length > LEFTOVER_BYTES) return false;
      this.storage.setItem(this.nameOf(header), value);
      return true;
    } catch {
      return false;
    }
  }

  remove(header: FixedHeader): void {
    try {
      this.storage?.removeItem(this.nameOf(header));
    } catch {
      // Storage went away; so did what is in it.
    }
  }

  /** What an earlier document of this tab left, oldest first. Damaged entries are deleted. */
  list(): Leftover[] {
    const found: Leftover[] = [];
    for (const name of this.names()) {
      try {
        const [header = '', signals = '', dom = ''] = (this.storage?.getItem(name) ?? '').split('\n');
        found.push({
          name,
          header: JSON.parse(header) as FixedHeader,
          signals: fromBase64(signals),
          dom: fromBase64(dom),
        });
      } catch {
        this.storage?.removeItem(name);
      }
    }
    return found.sort((a, b) => a.header.from - b.header.from || a.header.seq - b.header.seq);
  }

  private nameOf(header: FixedHeader): string {
    return `${PREFIX}${header.stream}:${header.seq}`;
  }

  private names(): string[] {
    const names: string[] = [];
    for (let index = 0; index < (this.storage?.length ?? 0); index++) {
      const name = this.storage?.key(index);
      if (name?.startsWith(PREFIX)) names.push(name);
    }
    return names;
  }

  private size(): number {
    return this.names().reduce((sum, name) => sum + (this.storage?.getItem(name)?.length ?? 0), 0);
  }
}
