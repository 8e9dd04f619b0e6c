import { useEffect, useState } from 'react';
import { Button } from './Button';
import { copyText } from './clipboard';
import { Icon } from './Icon';
import { Tooltip } from './Tooltip';

interface CopyButtonProps {
  text: string;
  /** What is copied: `Copy script tag`. */
  label: string;
  /** Shows only the icon. */
  compact?: boolean;
  kind?: 'plain' | 'primary' | 'ghost';
}

export function CopyButton({ text, label, compact = false, kind = compact ? 'ghost' : 'plain' }: CopyButtonProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'refused'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => {
      setState('idle');
    }, 1600);
    return () => {
      clearTimeout(timer);
    };
  }, [state]);

  const copy = () => {
    void copyText(text).then((copied) => {
      setState(copied ? 'copied' : 'refused');
    });
  };
  const caption = { idle: label, copied: 'Copied', refused: 'Select and copy by hand' }[state];
  const button = (
    <Button kind={kind} className={compact ? 'icon-only' : ''} aria-label={compact ? label : undefined} onClick={copy}>
      <Icon name={state === 'copied' ? 'check' : 'copy'} small />
      {!compact && <span aria-live="polite">{caption}</span>}
    </Button>
  );
  return compact ? <Tooltip text={caption}>{button}</Tooltip> : button;
}
