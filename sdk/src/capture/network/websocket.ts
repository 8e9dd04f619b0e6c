import { randomHex } from '../../random.js';
import type { WebSocketSignal } from '../../signal.js';
import { noteActivity } from '../shared.js';
import { createBudget } from '../budget.js';
import type { CaptureContext } from '../context.js';
import { known, roundMs } from '../known.js';
import { patchConstructor, patchMethod } from '../patch.js';
import { bytesOf } from './size.js';

const MESSAGES_PER_SECOND = 50;
const MAX_REASON = 200;

/** Tells about one socket. */
type Tell = (op: WebSocketSignal['op'], fields?: Partial<WebSocketSignal>) => void;

function follow(socket: WebSocket, context: CaptureContext, tellMessage: Tell, tell: Tell): () => void {
  const made = performance.now();
  let opened: number | undefined;
  const since = (start: number): number => roundMs(performance.now() - start);
  const listener = context.guard((event: Event) => {
    if (event.type === 'open') {
      opened = performance.now();
      tell('open', { duration_ms: since(made) });
    } else if (event.type === 'message') {
      const bytes = bytesOf((event as MessageEvent).data);
      tellMessage('message', known<Partial<WebSocketSignal>>({ direction: 'in', bytes }));
    } else if (event.type === 'close') {
      const { code, reason } = event as CloseEvent;
      const told = reason ? context.privacy.redactText(reason.slice(0, MAX_REASON)) : undefined;
      const duration_ms = opened === undefined ? undefined : since(opened);
      tell('close', known<Partial<WebSocketSignal>>({ code, reason: told, duration_ms }));
    } else {
      tell('error');
    }
  });
  const types = ['open', 'message', 'close', 'error'];
  for (const type of types) socket.addEventListener(type, listener);
  return () => {
    for (const type of types) socket.removeEventListener(type, listener);
  };
}

/** WebSockets: when they open and close, and how much goes to and fro; never what. */
export function patchWebSocket(context: CaptureContext): () => void {
  if (typeof WebSocket !== 'function') return () => undefined;
  const budget = createBudget(context, MESSAGES_PER_SECOND);
  const tellers = new WeakMap<WebSocket, Tell>();
  const unfollows = new Set<() => void>();

  const observe = context.guard((instance: object) => {
    const socket = instance as WebSocket;
    const id = randomHex(8);
    const url = context.privacy.redactUrl(socket.url);
    noteActivity(context);
    const tell: Tell = (op, fields) => context.emit({ k: 'websocket', t: context.now(), id, op, url, ...fields });
    const tellMessage: Tell = (op, fields) => {
      if (budget.take(fields?.bytes)) tell(op, fields);
    };
    tellers.set(socket, tellMessage);
    const unfollow = follow(socket, context, tellMessage, tell);
    unfollows.add(unfollow);
    socket.addEventListener('close', () => unfollows.delete(unfollow));
  });
  const noteSend = context.guard((socket: WebSocket, data: unknown) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    noteActivity(context);
    tellers.get(socket)?.('message', known<Partial<WebSocketSignal>>({ direction: 'out', bytes: bytesOf(data) }));
  });
  const undos = [
    patchMethod(WebSocket.prototype, 'send', (self, args, callOriginal) => {
      const result = callOriginal();
      noteSend(self as WebSocket, args[0]);
      return result;
    }),
    patchConstructor(window, 'WebSocket', observe),
  ];
  return () => {
    for (const undo of undos.reverse()) undo();
    for (const unfollow of unfollows) unfollow();
    budget.close();
  };
}
