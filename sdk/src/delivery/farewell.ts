import { KEEPALIVE_BYTES, KEEPALIVE_TOTAL_BYTES, LAST_BATCH_RAW_BYTES } from '../limits.js';
import type { GapSignal } from '../signal.js';
import type { FixedHeader, Stream } from './batch.js';
import type { Deflate } from './contract.js';
import type { Leftovers } from './leftovers.js';
import { address, packParcelNow, type Parcel, smallDom, smallSignals } from './parcel.js';

/** Taken for a header and a credential, which are written at the moment of sending. */
const HEADER_ROOM_BYTES = 1024;
/** Kept free for saying what was lost. */
const GAP_ROOM_BYTES = 1024;

/**
 * The last batch. Works within one task and without the worker: signals first, then pictures, in keepalive requests that the
 * browser sends even when the page is gone. What these cannot take goes to sessionStorage; what that cannot take is told as a gap.
 */
export class Farewell {
  private gapHeader: FixedHeader | undefined;

  constructor(
    private readonly leftovers: Leftovers,
    private readonly sendKeepalive: (parcel: Parcel) => void,
  ) {}

  /** Sends and leaves what it can; returns all parcels, for the case that the page lives on. */
  pack(parcels: Parcel[], stream: Stream, now: number, final: boolean, deflate: Deflate | undefined): Parcel[] {
    const { ordered, late } = this.order(parcels, deflate);
    let budget = KEEPALIVE_TOTAL_BYTES - GAP_ROOM_BYTES;
    for (const parcel of parcels) if (parcel.underWay === 'keepalive') budget -= parcel.size + HEADER_ROOM_BYTES;
    const lost = [...late];
    for (const parcel of ordered) {
      if (parcel.underWay === 'keepalive') continue;
      if (!parcel.foreign) address(parcel);
      const size = parcel.size + HEADER_ROOM_BYTES;
      if (size <= KEEPALIVE_BYTES && size <= budget) {
        budget -= size;
        this.sendKeepalive(parcel);
      } else if (!this.leave(parcel)) {
        lost.push(parcel);
      }
    }
    if (lost.length) this.tellGap(lost, stream, now, final);
    return [...ordered, ...late];
  }

  /** Puts a parcel where the tab's next document finds it. */
  leave(parcel: Parcel): boolean {
    if (parcel.left) return true;
    if (!parcel.packed) return false;
    parcel.left = this.leftovers.put(parcel.header ?? address(parcel), parcel.packed[0].bytes, parcel.packed[1].bytes);
    return parcel.left;
  }

  /** The page lives on, and with it what seemed lost. */
  forgetGap(): void {
    if (this.gapHeader) this.leftovers.remove(this.gapHeader);
    this.gapHeader = undefined;
  }

  /** Signals before pictures; `late` is what lies over the bound of what can be packed in one task. */
  private order(parcels: Parcel[], deflate: Deflate | undefined): { ordered: Parcel[]; late: Parcel[] } {
    const signals: Parcel[] = [];
    const sealed: Parcel[] = [];
    const pictures: Parcel[] = [];
    const late: Parcel[] = [];
    let raw = 0;
    for (const parcel of parcels) {
      if (!parcel.contents) {
        sealed.push(parcel);
        continue;
      }
      raw += parcel.size;
      if (raw > LAST_BATCH_RAW_BYTES) {
        late.push(parcel);
      } else if (parcel.group) {
        packParcelNow(parcel, deflate);
        sealed.push(parcel);
      } else {
        signals.push(...smallSignals(parcel, deflate));
        pictures.push(...smallDom(parcel, deflate));
        delete parcel.contents;
      }
    }
    const ordered = [...signals, ...sealed, ...pictures];
    const last = ordered[ordered.length - 1];
    if (last && !last.header && parcels.some((parcel) => parcel.end)) last.end = true;
    return { ordered, late };
  }

  private tellGap(lost: Parcel[], stream: Stream, now: number, final: boolean): void {
    const gap: GapSignal = {
      k: 'gap',
      t: now,
      from: Math.min(...lost.map((parcel) => parcel.from)),
      to: Math.max(...lost.map((parcel) => parcel.to)),
      reason: 'unload',
      bytes: lost.reduce((sum, parcel) => sum + parcel.size, 0),
      frame: 'both',
    };
    const parcel: Parcel = {
      stream,
      from: gap.t,
      to: gap.t,
      key: false,
      events: 0,
      contents: { signals: [`${JSON.stringify(gap)}\n`], dom: [] },
      size: 0,
      underWay: false,
      packing: false,
      left: false,
      foreign: false,
    };
    packParcelNow(parcel, undefined);
    this.forgetGap();
    if (final) this.sendKeepalive(parcel);
    else if (this.leave(parcel)) this.gapHeader = parcel.header;
  }
}
