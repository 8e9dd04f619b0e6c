type Callable = (this: unknown, ...args: never[]) => unknown;

/** Calls what was there before, as the page called it unless other arguments are given. */
export type CallOriginal = (instead?: unknown[]) => unknown;

/** Our own wrappers, so that installing twice wraps once. */
const wrappers = new WeakSet<object>();

const nothing = (): void => undefined;

/**
 * Puts `replacement` at `owner[name]`. Undoing restores what was there if ours still stands; if somebody wrapped ours
 * meanwhile, it stays inside theirs and `onUndo` makes it pass everything through.
 */
function replace(owner: object, name: string, replacement: object, onUndo: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  wrappers.add(replacement);
  Object.defineProperty(owner, name, {
    configurable: true,
    enumerable: own?.enumerable ?? true,
    writable: true,
    value: replacement,
  });
  return () => {
    onUndo();
    if (Reflect.get(owner, name) !== replacement) return;
    if (own) Object.defineProperty(owner, name, own);
    else Reflect.deleteProperty(owner, name);
  };
}

/** What stands at `owner[name]`, unless it is missing, ours already, or not to be replaced. */
function replaceable(owner: object | undefined, name: string): Callable | undefined {
  if (!owner) return undefined;
  const current: unknown = Reflect.get(owner, name);
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const isFree = own ? own.configurable === true && 'value' in own : Object.isExtensible(owner);
  return typeof current === 'function' && isFree && !wrappers.has(current) ? (current as Callable) : undefined;
}

/**
 * Lets `handler` stand between the page and a method. A proxy keeps `name`, `length`, `toString()` and every property as they
 * were. The handler must call `callOriginal` exactly once and hand on what it returns or throws; it guards its own work itself.
 */
export function patchMethod(
  owner: object | undefined,
  name: string,
  handler: (self: unknown, args: unknown[], callOriginal: CallOriginal) => unknown,
): () => void {
  const original = replaceable(owner, name);
  if (!owner || !original) return nothing;
  let active = true;
  const wrapper = new Proxy(original, {
    apply(target, self: unknown, args: unknown[]) {
      const callOriginal: CallOriginal = (instead) => Reflect.apply(target, self, (instead ?? args) as never[]);
      return active ? handler(self, args, callOriginal) : callOriginal();
    },
  });
  return replace(owner, name, wrapper, () => (active = false));
}

/** Tells `observe` about every instance that the page makes with `new owner[name](…)`; subclasses included. */
export function patchConstructor(
  owner: object | undefined,
  name: string,
  observe: (instance: object, args: unknown[]) => void,
): () => void {
  const original = replaceable(owner, name);
  if (!owner || !original) return nothing;
  let active = true;
  const wrapper: object = new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      const instance = Reflect.construct(target, args, newTarget === wrapper ? target : newTarget) as object;
      if (active) observe(instance, args);
      return instance;
    },
  });
  return replace(owner, name, wrapper, () => (active = false));
}
