/** The time of the replay, in milliseconds from the session's start: ours, whatever plays or does not play on the stage. */
export class Clock {
  private anchorTime = 0;
  private anchorNow: number;
  private rate = 0;

  /** `now` counts milliseconds of real time and never goes back. */
  constructor(private readonly now: () => number) {
    this.anchorNow = now();
  }

  get time(): number {
    return this.anchorTime + (this.now() - this.anchorNow) * this.rate;
  }

  get running(): boolean {
    return this.rate !== 0;
  }

  run(rate: number): void {
    this.set(this.time);
    this.rate = rate;
  }

  stop(): void {
    this.set(this.time);
    this.rate = 0;
  }

  /** Goes on from `time` at the rate there is. */
  set(time: number): void {
    this.anchorTime = time;
    this.anchorNow = this.now();
  }
}
