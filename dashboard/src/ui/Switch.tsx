import { Switch as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';

interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
  disabled?: boolean;
}

export function Switch({ checked, onChange, children, disabled = false }: SwitchProps) {
  return (
    <label className="switch">
      <Primitive.Root className="switch-track" checked={checked} onCheckedChange={onChange} disabled={disabled}>
        <Primitive.Thumb className="switch-thumb" />
      </Primitive.Root>
      <span>{children}</span>
    </label>
  );
}
