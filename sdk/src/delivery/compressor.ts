import { EMPTY_FRAME, type Frame } from './batch.js';
import type { Deflate } from './contract.js';

/** Raw text or bytes of the two frames. */
export type Raw = string | Uint8Array;
export type Packed = [signals: Frame, dom: Frame];

/** Not worth a compressor's work and header. */
const MIN_BYTES = 256;
const JOB_TIMEOUT_MS = 10_000;

// Runs in the worker and, where there is none, on the main thread: text or bytes in, zlib out.
const WORKER_SOURCE = `onmessage=async e=>{const{id,raws}=e.data;try{const out=[];for(const r of raws){
const b=typeof r=="string"?new TextEncoder().encode(r):r;
out.push(b.length<${MIN_BYTES}?[b,b.length,"none"]:[new Uint8Array(await new Response(new Blob([b]).stream()
.pipeThrough(new CompressionStream("deflate"))).arrayBuffer()),b.length,"deflate"])}
postMessage({id,out},out.map(f=>f[0].buffer).filter((b,i,a)=>a.indexOf(b)==i))}catch(x){postMessage({id})}}`;

export function toBytes(raw: Raw): Uint8Array {
  return typeof raw === 'string' ? new TextEncoder().encode(raw) : raw;
}

/** Packs on the calling thread at once; without `deflate` the bytes stay as they are. */
export function packNow(raw: Raw, deflate: Deflate | undefined): Frame {
  if (!raw.length) return EMPTY_FRAME;
  const bytes = toBytes(raw);
  if (deflate && bytes.length >= MIN_BYTES) return { bytes: deflate(bytes), raw: bytes.length, enc: 'deflate' };
  return { bytes, raw: bytes.length, enc: 'none' };
}

async function packNative(raw: Raw): Promise<Frame> {
  const bytes = toBytes(raw);
  if (bytes.length < MIN_BYTES) return packNow(bytes, undefined);
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('deflate'));
  return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), raw: bytes.length, enc: 'deflate' };
}

interface Job {
  raws: [Raw, Raw];
  resolve: (packed: Packed) => void;
  timer: ReturnType<typeof setTimeout>;
}

/** Packs frames off the main thread where the page lets us, and somehow everywhere else. */
export class Compressor {
  private worker: Worker | undefined;
  private readonly jobs = new Map<number, Job>();
  private nextId = 0;
  private workerFailed = false;

  constructor(
    /** Called once when the page has no worker for us. */
    private readonly onBlocked: () => void,
    /** zlib in JavaScript, loaded when nothing native is there. */
    private readonly loadDeflate: () => Promise<Deflate | undefined>,
  ) {}

  pack(signals: Raw, dom: Raw): Promise<Packed> {
    const worker = this.openWorker();
    if (!worker) return this.packHere([signals, dom]);
    return new Promise((resolve) => {
      const id = this.nextId++;
      const timer = setTimeout(() => this.giveUp(), JOB_TIMEOUT_MS);
      this.jobs.set(id, { raws: [signals, dom], resolve, timer });
      worker.postMessage({ id, raws: [signals, dom] });
    });
  }

  close(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.workerFailed = true;
    for (const id of [...this.jobs.keys()]) this.redo(id);
  }

  private openWorker(): Worker | undefined {
    if (this.worker || this.workerFailed) return this.worker;
    try {
      if (typeof CompressionStream === 'undefined') throw new Error('no CompressionStream');
      const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
      this.worker = new Worker(url);
      setTimeout(() => URL.revokeObjectURL(url), JOB_TIMEOUT_MS);
      this.worker.onmessage = (event: MessageEvent<{ id: number; out?: [Uint8Array, number, Frame['enc']][] }>) =>
        this.finish(event.data.id, event.data.out);
      // A content security policy without `worker-src blob:` tells so here, not by an exception.
      this.worker.onerror = (event) => {
        event.preventDefault();
        this.giveUp();
      };
    } catch {
      this.giveUp();
    }
    return this.worker;
  }

  private finish(id: number, out: [Uint8Array, number, Frame['enc']][] | undefined): void {
    const job = this.jobs.get(id);
    if (!job) return;
    if (!out || out.length !== 2) {
      this.redo(id);
      return;
    }
    clearTimeout(job.timer);
    this.jobs.delete(id);
    job.resolve(out.map(([bytes, raw, enc]) => ({ bytes, raw, enc })) as Packed);
  }

  private giveUp(): void {
    if (!this.workerFailed) this.onBlocked();
    this.close();
  }

  private redo(id: number): void {
    const job = this.jobs.get(id);
    if (!job) return;
    clearTimeout(job.timer);
    this.jobs.delete(id);
    void this.packHere(job.raws).then(job.resolve);
  }

  private async packHere(raws: [Raw, Raw]): Promise<Packed> {
    if (typeof CompressionStream !== 'undefined') {
      try {
        return [await packNative(raws[0]), await packNative(raws[1])];
      } catch {
        // Falls through to what needs nothing of the browser.
      }
    }
    const deflate = await this.loadDeflate().catch(() => undefined);
    return [packNow(raws[0], deflate), packNow(raws[1], deflate)];
  }
}
