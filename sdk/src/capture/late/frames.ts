import type { CaptureContext } from '../context.js';

/** When a frame began and when it was on its way to the screen, by the performance clock. */
interface Frame {
  began: number;
  painted: number;
}

const MAX_FRAMES = 300;

/** Notes when frames are painted while somebody waits for one. A hidden page paints none. */
export class Frames {
  private frames: Frame[] = [];
  private waiting = 0;
  private scheduled = false;

  /** `painted` is called after every frame that was noted. */
  constructor(
    private readonly context: CaptureContext,
    private readonly painted: () => void,
  ) {}

  /** Notes frames until the returned function is called. */
  watch(): () => void {
    this.waiting++;
    this.schedule();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.waiting--;
    };
  }

  /** When the first frame that began at or after the time was painted. */
  paintedAfter(time: number): number | undefined {
    return this.frames.find(({ began }) => began >= time)?.painted;
  }

  /** What happened while hidden says nothing about what the user waited for. */
  forget(): void {
    this.frames = [];
  }

  private schedule(): void {
    if (this.scheduled || document.visibilityState === 'hidden') return;
    this.scheduled = true;
    requestAnimationFrame(this.context.guard(() => this.begin()));
  }

  private begin(): void {
    const began = performance.now();
    // A task queued here runs once this frame's layout and paint are done.
    setTimeout(
      this.context.guard(() => {
        this.frames.push({ began, painted: performance.now() });
        if (this.frames.length > MAX_FRAMES) this.frames.shift();
        this.scheduled = false;
        this.painted();
        if (this.waiting > 0) this.schedule();
        else this.frames = [];
      }),
    );
  }
}
