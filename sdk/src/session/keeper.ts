import { MAX_SESSION_MS } from '../limits.js';
import { randomHex } from '../random.js';
import type { Slot } from './storage.js';

/** One visit, shared by the tabs and pages of one browser. */
export interface SessionRecord {
  /** 32 hex digits. */
  id: string;
  /** Epoch milliseconds of its first page. */
  started: number;
  /** Epoch milliseconds of the latest thing the user did. */
  seen: number;
  /** Tabs so far; a tab's label is the number it got. */
  tabs: number;
  /** An error made this session send its pictures. */
  promoted?: boolean;
}

/** `seen` is written at most this often. */
const WRITE_INTERVAL_MS = 2_000;

function parse(text: string | undefined): SessionRecord | undefined {
  if (!text) return undefined;
  try {
    const value = JSON.parse(text) as Partial<SessionRecord>;
    if (!/^[0-9a-f]{32}$/.test(value.id ?? '')) return undefined;
    if (![value.started, value.seen, value.tabs].every(Number.isFinite)) return undefined;
    return value as SessionRecord;
  } catch {
    return undefined;
  }
}

/** Keeps the record in step with storage. Without a slot there is one session per document. */
export class SessionKeeper {
  record: SessionRecord;
  private writtenAt = 0;

  constructor(
    private readonly slot: Slot | undefined,
    /** Milliseconds; may be set anew while the visit lasts. */
    public maxIdleMs: number,
    private readonly now: () => number,
  ) {
    this.record = this.stored() ?? this.fresh();
    this.record.seen = this.now();
    this.write();
  }

  /** What storage says now, unless that visit is over. */
  stored(): SessionRecord | undefined {
    const record = parse(this.slot?.read());
    return record && !this.isOver(record) ? record : undefined;
  }

  /** Idle for too long, too old, or from the future (a clock that was set back). */
  isOver(record: SessionRecord): boolean {
    const now = this.now();
    return (
      now - record.seen > this.maxIdleMs || now - record.started > MAX_SESSION_MS || record.seen - now > MAX_SESSION_MS
    );
  }

  /** Why the current session is over, or undefined. Another tab's activity counts. */
  overReason(): 'idle' | 'max_length' | undefined {
    const other = parse(this.slot?.read());
    if (other?.id === this.record.id) this.record.seen = Math.max(this.record.seen, other.seen);
    if (!this.isOver(this.record)) return undefined;
    return this.now() - this.record.started > MAX_SESSION_MS ? 'max_length' : 'idle';
  }

  /** Takes over the session of another tab, or begins a new one. */
  renew(): void {
    this.record = this.stored() ?? this.fresh();
    this.touch(true);
  }

  /** Before the first send: two tabs that opened at once agree on what was written last. True when the id changed. */
  confirm(): boolean {
    const stored = this.stored();
    if (!stored || stored.id === this.record.id) return false;
    this.record = stored;
    return true;
  }

  /** The user did something. */
  touch(force = false): void {
    const now = this.now();
    this.record.seen = now;
    if (force || now - this.writtenAt >= WRITE_INTERVAL_MS) this.write();
  }

  promote(): void {
    this.record.promoted = true;
    this.write();
  }

  /** The visit was ended on purpose: the next page begins another one. */
  forget(): void {
    this.slot?.clear();
  }

  /** The next tab's label. */
  nextTab(): number {
    const stored = parse(this.slot?.read());
    if (stored?.id === this.record.id) this.record.tabs = Math.max(this.record.tabs, stored.tabs);
    this.record.tabs++;
    this.write();
    return this.record.tabs;
  }

  private fresh(): SessionRecord {
    const now = this.now();
    return { id: randomHex(16), started: now, seen: now, tabs: 0 };
  }

  private write(): void {
    this.writtenAt = this.now();
    const stored = this.stored();
    if (stored?.id === this.record.id) {
      this.record.tabs = Math.max(this.record.tabs, stored.tabs);
      if (stored.promoted) this.record.promoted = true;
    } else if (stored && stored.started > this.record.started) {
      // Another tab has begun a newer session: it stands, and `renew` will take it over.
      return;
    }
    this.slot?.write(JSON.stringify(this.record));
  }
}
