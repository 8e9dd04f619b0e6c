import type { GapReason, GapSignal } from '../signal.js';

/** Gaps of one kind that lie closer together than this are one gap. */
const MERGE_MS = 10_000;
const MAX_PENDING = 20;

/** Collects what had to be dropped, so that a thousand drops do not become a thousand signals. */
export class Gaps {
  private pending: GapSignal[] = [];

  add(t: number, from: number, to: number, bytes: number, reason: GapReason, frame: GapSignal['frame']): void {
    const last = this.pending[this.pending.length - 1];
    const joins = last && last.reason === reason && last.frame === frame && from - last.to <= MERGE_MS;
    if (last && (joins || this.pending.length >= MAX_PENDING)) {
      last.from = Math.min(last.from, from);
      last.to = Math.max(last.to, to);
      last.bytes = (last.bytes ?? 0) + bytes;
      if (last.frame !== frame) last.frame = 'both';
    } else {
      this.pending.push({ k: 'gap', t, from, to, reason, bytes, frame });
    }
  }

  take(): GapSignal[] {
    const taken = this.pending;
    this.pending = [];
    return taken;
  }
}
