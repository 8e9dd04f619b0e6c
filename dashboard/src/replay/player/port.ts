/** The way to the stage: an iframe of this origin that is told by messages what to show. */
import type { FromStage, ToStage } from '../protocol';

export interface StagePort {
  send(message: ToStage): void;
  listen(listener: (message: FromStage) => void): () => void;
}

/** Messages sent before the stage is ready wait for it; a stage that loads again is told its configuration again. */
export class FramePort implements StagePort {
  private ready = false;
  private waiting: ToStage[] = [];
  private configuration: ToStage | null = null;
  private readonly listeners = new Set<(message: FromStage) => void>();

  constructor(private readonly frame: () => HTMLIFrameElement | null) {}

  /** Starts listening; returns what stops it. */
  connect(): () => void {
    const receive = (event: MessageEvent<FromStage>): void => {
      const source = this.frame()?.contentWindow;
      if (event.origin === window.location.origin && source !== undefined && event.source === source)
        this.take(event.data);
    };
    window.addEventListener('message', receive);
    return () => {
      window.removeEventListener('message', receive);
      this.ready = false;
    };
  }

  send(message: ToStage): void {
    if (message.kind === 'configure') this.configuration = message;
    if (this.ready) this.frame()?.contentWindow?.postMessage(message, window.location.origin);
    else if (message.kind === 'open') this.waiting = [message];
    else if (message.kind === 'append') this.waiting.push(message);
  }

  listen(listener: (message: FromStage) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(message: FromStage): void {
    if (message.kind === 'ready') {
      this.ready = true;
      const waiting = this.waiting;
      this.waiting = [];
      if (this.configuration !== null) this.send(this.configuration);
      for (const each of waiting) this.send(each);
    }
    for (const listener of this.listeners) listener(message);
  }
}
