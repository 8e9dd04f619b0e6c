/**
 * The stage: a document that holds nothing but the recorded page. It has its own content security policy, fetches
 * nothing itself, and obeys only the page of its own origin that frames it.
 */
import '@rrweb/replay/dist/style.css';
import './stage.css';
import type { FromStage, ToStage } from '../src/replay/protocol';
import { Stage } from './stage';

const root = document.getElementById('stage');
if (root !== null && window.parent !== window) {
  // What a recording makes rrweb complain about (a broken style sheet, a missing node) is the recorded page's affair.
  // It must neither fill the viewer's console nor carry recorded text into it.
  window.console.warn = () => undefined;
  const send = (message: FromStage): void => window.parent.postMessage(message, window.location.origin);
  const stage = new Stage(root, send);
  window.addEventListener('message', (event: MessageEvent<ToStage>) => {
    if (event.origin === window.location.origin && event.source === window.parent) stage.receive(event.data);
  });
  send({ kind: 'ready' });
}
