import { DropdownMenu } from 'radix-ui';
import { Button } from './Button';
import { Icon, type IconName } from './Icon';

interface ChoiceMenuProps {
  label: string;
  icon: IconName;
  value: string;
  choices: readonly { key: string; label: string }[];
  onChange: (key: string) => void;
}

/** A button that shows what is chosen, and a menu to choose another. */
export function ChoiceMenu({ label, icon, value, choices, onChange }: ChoiceMenuProps) {
  const chosen = choices.find((choice) => choice.key === value) ?? choices[0];
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button className={`choice-${icon}`} aria-label={`${label}: ${chosen?.label ?? ''}`}>
          <Icon name={icon} small />
          <span className="choice-label">{chosen?.label}</span>
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="menu" align="start" sideOffset={6} collisionPadding={8}>
        <DropdownMenu.RadioGroup value={value} onValueChange={onChange}>
          {choices.map((choice) => (
            <DropdownMenu.RadioItem className="menu-item" key={choice.key} value={choice.key}>
              <span className="grow">{choice.label}</span>
              <DropdownMenu.ItemIndicator>
                <Icon name="check" small />
              </DropdownMenu.ItemIndicator>
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
