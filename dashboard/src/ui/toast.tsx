import { Toast as Primitive } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { asProblem } from '../api/problem';
import { IconButton } from './Button';

interface ToastMessage {
  id: number;
  text: string;
  tone: 'info' | 'ok' | 'error';
}

const TOASTS_MAX = 4;
let messages: readonly ToastMessage[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function replace(next: readonly ToastMessage[]) {
  messages = next;
  for (const listener of listeners) listener();
}

/** Shows a short message for some seconds. Only the newest four stay. */
export function toast(text: string, tone: ToastMessage['tone'] = 'info') {
  replace([...messages, { id: nextId++, text, tone }].slice(-TOASTS_MAX));
}

/** Says that an action failed, and why: `The key could not be revoked: …`. */
export const toastFailure = (what: string) => (error: unknown) => {
  toast(`${what}: ${asProblem(error).message}`, 'error');
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => messages);
  return (
    <Primitive.Provider duration={5000} swipeDirection="right">
      {shown.map(({ id, text, tone }) => (
        <Primitive.Root
          key={id}
          className={`toast ${tone}`}
          type={tone === 'error' ? 'foreground' : 'background'}
          duration={tone === 'error' ? 10_000 : 5000}
          onOpenChange={(open) => {
            if (!open) replace(messages.filter((message) => message.id !== id));
          }}
        >
          <Primitive.Description className="grow">{text}</Primitive.Description>
          <Primitive.Close asChild>
            <IconButton icon="close" label="Dismiss" />
          </Primitive.Close>
        </Primitive.Root>
      ))}
      <Primitive.Viewport className="toasts" />
    </Primitive.Provider>
  );
}
