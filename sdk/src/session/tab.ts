import type { SessionKeeper } from './keeper.js';
import type { Slot } from './storage.js';

interface TabRecord {
  session: string;
  tab: number;
  /** The document that wrote this has gone; the tab is free for the next one. */
  left: boolean;
}

/**
 * The number of this tab in the session. A duplicated tab copies sessionStorage while the original is still there, so a record
 * that nobody has left is not ours: such a tab gets a number of its own.
 */
export class Tab {
  number: number;

  constructor(
    private readonly slot: Slot | undefined,
    private readonly keeper: SessionKeeper,
  ) {
    const record = this.read();
    const ours = record?.left && record.session === keeper.record.id;
    this.number = ours ? record.tab : keeper.nextTab();
    this.mark(false);
  }

  /** A new session began in this document. */
  renumber(): void {
    this.number = this.keeper.nextTab();
    this.mark(false);
  }

  /** `left` when the document goes, not so when it comes back. */
  mark(left: boolean): void {
    const record: TabRecord = { session: this.keeper.record.id, tab: this.number, left };
    this.slot?.write(JSON.stringify(record));
  }

  private read(): TabRecord | undefined {
    try {
      const value = JSON.parse(this.slot?.read() ?? '') as TabRecord;
      return Number.isInteger(value.tab) && value.tab > 0 ? value : undefined;
    } catch {
      return undefined;
    }
  }
}
