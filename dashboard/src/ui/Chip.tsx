import type { ComponentProps } from 'react';

export type Tone = 'neutral' | 'error' | 'warn' | 'ok' | 'info' | 'frustration' | 'accent';

type ChipProps = ComponentProps<'span'> & { tone?: Tone };

/** A small label. Its text says what its colour says. */
export function Chip({ tone = 'neutral', className = '', ...rest }: ChipProps) {
  return <span className={`chip ${tone === 'neutral' ? '' : tone} ${className}`} {...rest} />;
}
