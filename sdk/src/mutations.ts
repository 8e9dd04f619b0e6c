import { guard } from './guard.js';

/** Tells listeners that the DOM changed, at most once per task. Observes only while somebody listens. */
export class MutationNotice {
  private readonly listeners = new Set<() => void>();
  private observer: MutationObserver | undefined;

  on(listener: () => void): () => void {
    const guarded = guard(listener);
    this.listeners.add(guarded);
    this.observe();
    return () => {
      this.listeners.delete(guarded);
      if (!this.listeners.size) this.stop();
    };
  }

  stop(): void {
    this.listeners.clear();
    this.observer?.disconnect();
    this.observer = undefined;
  }

  private observe(): void {
    if (this.observer) return;
    this.observer = new MutationObserver(() => {
      for (const listener of [...this.listeners]) listener();
    });
    this.observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  }
}
