/**
 * The inline stub: at most 500 bytes that a page pastes into its head. It makes `window.playhead` at once (calls queue in `q`,
 * errors that come before the script in `e`), then loads the script. The nonce of the inline script is passed on.
 * `__ORIGIN__` and `__KEY__` are filled in by the server.
 */
export const STUB =
  '<script>!((w,d,p,s)=>{p=w.playhead={q:[],e:[],h:x=>{p.e.length<20&&p.e.push(x)}};' +
  '"start stop identify track captureError".split(" ").map(m=>p[m]=(...a)=>{p.q.length<99&&p.q.push([m,a])});' +
  's=w.addEventListener;s("error",p.h,!0);s("unhandledrejection",p.h);s=d.createElement("script");' +
  's.src="__ORIGIN__/sdk/playhead.js";s.dataset.key="__KEY__";s.nonce=d.currentScript.nonce;d.head.append(s)})' +
  '(window,document)</script>';

/** What the stub leaves on `window.playhead`. */
export interface Stub {
  /** Calls made so far: method and arguments. */
  q?: [string, ArrayLike<unknown>][];
  /** Errors caught so far. */
  e?: Event[];
  /** The stub's listener, to be taken off. */
  h?: (event: Event) => void;
}

/** The stub as a page would hold it. */
export function fillStub(origin: string, key: string): string {
  return STUB.replace('__ORIGIN__', origin).replace('__KEY__', key);
}
