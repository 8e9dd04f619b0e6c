import { listen } from '../../guard.js';
import type { Click } from './clicks.js';
import type { CaptureContext } from '../context.js';
import type { Shared } from '../shared.js';
import { innermost } from './target.js';

/** A page that has not reacted after so long does not react. */
const REACTION_MS = 1500;
const MAX_WATCHED = 10;

/**
 * What tells that the page, or the browser on its behalf, reacted. `focusin` and `selectionchange` are looked at closer. No
 * `beforeunload`: listening to it keeps pages out of some browsers' back-forward cache.
 */
const REACTIONS = [
  'scroll',
  'input',
  'change',
  'submit',
  'toggle',
  'play',
  'pause',
  'copy',
  'cut',
  'animationstart',
  'fullscreenchange',
  'pagehide',
  'visibilitychange',
  'blur',
];

/** Reacts in ways that cannot be seen from here, or is not meant to react at all. */
const NOT_JUDGED =
  'input,textarea,select,option,label,canvas,video,audio,object,embed,iframe,a[download],a[target],[aria-disabled=true],' +
  '[contenteditable],a[href^="mailto:"],a[href^="tel:"],a[href^="sms:"]';

const LOOKS_INTERACTIVE = 'a,button,summary,[role=button],[role=link],[role=tab],[role=menuitem],[onclick],[tabindex]';

function looksInteractive(element: Element): boolean {
  return element.closest(LOOKS_INTERACTIVE) !== null || getComputedStyle(element).cursor === 'pointer';
}

/** Whether the browser follows a link by itself; the next page may be slow to come. */
function followsLink(event: Event, target: Element): boolean {
  const href = target.closest('a[href]')?.getAttribute('href')?.trim();
  return href !== undefined && !event.defaultPrevented && !/^(#|javascript:)/i.test(href);
}

interface Watched {
  click: Click;
  /** Asked when the wait is over: whether the event was cancelled is known only after the page has seen it. */
  followsLink: () => boolean;
  /** When the pointer went down: many pages react to that already. */
  from: number;
  timer: ReturnType<typeof setTimeout>;
}

/** Remembers when the page last reacted, while somebody wants to know. */
class Reactions {
  latest = 0;
  pressedAt = 0;
  private pressed: Element | undefined;
  private unwatch: (() => void) | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: CaptureContext) {}

  press(element: Element | undefined): void {
    this.pressed = element;
    this.pressedAt = this.context.now();
    this.watch();
  }

  /** Watches the DOM from the press to the end of the longest wait. */
  watch(): void {
    this.unwatch ??= this.context.onDomMutation(() => this.note());
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.rest(), 2 * REACTION_MS);
  }

  rest(): void {
    clearTimeout(this.timer);
    this.unwatch?.();
    this.unwatch = undefined;
  }

  note(): void {
    this.latest = this.context.now();
  }

  see(event: Event): void {
    // Pressing anything focuses it and drops the selection: that is the browser's doing, not the page's.
    if (event.type === 'focusin') {
      const focused = innermost(event);
      if (focused && this.pressed && focused.contains(this.pressed)) return;
    }
    if (event.type === 'selectionchange' && document.getSelection()?.isCollapsed !== false) return;
    // Elements blur, too; only the window's own means that something else came to the front.
    if (event.type === 'blur' && event.target !== window) return;
    this.note();
  }
}

/** Tells clicks on what looks clickable that changed nothing: no DOM, no address, no request, no focus, no scroll, no window. */
export function createDeadClicks(
  context: CaptureContext,
  shared: Shared,
): { add(click: Click, target: Element, event: Event): void; stop(): void } {
  const reactions = new Reactions(context);
  const watched = new Set<Watched>();

  const judge = (entry: Watched): void => {
    watched.delete(entry);
    const { id, t, x, y, selector, text } = entry.click;
    if (document.visibilityState === 'hidden' || entry.followsLink()) return;
    if (Math.max(reactions.latest, shared.activeAt) >= entry.from) return;
    context.emit({ k: 'dead_click', t, selector, ...(text ? { text } : {}), x, y, click: id });
  };
  const see = (event: Event): void => reactions.see(event);
  const undos = [...REACTIONS, 'focusin', 'selectionchange'].map((type) =>
    listen(type === 'selectionchange' ? document : window, type, see, { capture: true, passive: true }),
  );
  undos.push(
    listen(window, 'pointerdown', (event) => reactions.press(innermost(event)), { capture: true, passive: true }),
  );
  // Tells at once that a script leaves the page, where the browser has it.
  const { navigation } = window as { navigation?: EventTarget };
  if (navigation) undos.push(listen(navigation, 'navigate', () => reactions.note()));
  return {
    add(click, target, event) {
      const isWatched = [...watched].some((entry) => entry.click.element === click.element);
      if (isWatched || watched.size >= MAX_WATCHED) return;
      if (target.closest(NOT_JUDGED) || !looksInteractive(target)) return;
      // The press that led to this click; a click by keyboard has none.
      const from = click.t - reactions.pressedAt < 1000 ? reactions.pressedAt : click.t;
      reactions.watch();
      const entry: Watched = {
        click,
        from,
        followsLink: () => followsLink(event, target),
        timer: setTimeout(
          context.guard(() => judge(entry)),
          REACTION_MS,
        ),
      };
      watched.add(entry);
    },
    stop() {
      for (const undo of undos) undo();
      for (const { timer } of watched) clearTimeout(timer);
      watched.clear();
      reactions.rest();
    },
  };
}
