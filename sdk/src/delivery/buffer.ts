import type { DomLine } from './contract.js';
import { MAX_SIGNALS_PER_BATCH, PART_RAW_BYTES } from '../limits.js';

/** Lines that wait to be sealed into a batch. Sizes are UTF-16 units: close to bytes, and free to know. */
export class Buffer {
  signals: string[] = [];
  dom: DomLine[] = [];
  signalsSize = 0;
  domSize = 0;
  from = Infinity;
  to = -Infinity;

  get size(): number {
    return this.signalsSize + this.domSize;
  }

  addSignal(text: string, t: number): void {
    this.signals.push(text);
    this.signalsSize += text.length;
    this.cover(t);
  }

  addDom(line: DomLine): void {
    this.dom.push(line);
    this.domSize += line.text.length;
    this.cover(line.t);
  }

  /** The line must begin a batch of its own: a key frame, or more than fits behind what is there. */
  needsSealBefore(line: DomLine): boolean {
    if (!this.dom.length) return false;
    if (line.key) return true;
    const onlyMeta = this.dom.length === 1 && this.dom[0]?.key === true;
    return !onlyMeta && this.domSize + line.text.length > PART_RAW_BYTES / 3;
  }

  /** More must not be put into one batch, however long the way to the server is blocked. */
  get isFull(): boolean {
    return (
      this.domSize > PART_RAW_BYTES / 3 ||
      this.signalsSize > PART_RAW_BYTES / 4 ||
      this.signals.length >= MAX_SIGNALS_PER_BATCH
    );
  }

  private cover(t: number): void {
    this.from = Math.min(this.from, t);
    this.to = Math.max(this.to, t);
  }
}
