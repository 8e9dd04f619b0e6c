import type { ComponentProps } from 'react';
import { Icon, type IconName } from './Icon';
import { Tooltip } from './Tooltip';

type ButtonProps = ComponentProps<'button'> & { kind?: 'plain' | 'primary' | 'ghost' | 'danger' };

export function Button({ kind = 'plain', className = '', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={`btn ${kind === 'plain' ? '' : kind} ${className}`} {...rest} />;
}

type IconButtonProps = Omit<ButtonProps, 'children'> & { icon: IconName; label: string };

/** A button that shows only an icon; the label is its name and its tooltip. */
export function IconButton({ icon, label, kind = 'ghost', className = '', ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label}>
      <Button kind={kind} className={`icon-only ${className}`} aria-label={label} {...rest}>
        <Icon name={icon} />
      </Button>
    </Tooltip>
  );
}
