import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useMatchRoute, useNavigate } from '@tanstack/react-router';
import { DropdownMenu } from 'radix-ui';
import { signOut } from '../api/endpoints';
import { meQuery } from '../api/queries';
import { Icon, Kbd, Logo, toastFailure, Tooltip, useZoneMode, type IconName } from '../ui';
import { openShortcutsDialog } from './ShortcutsDialog';

export function Rail({ projectId, openPalette }: { projectId: string; openPalette: () => void }) {
  return (
    <nav className="rail" aria-label="Main">
      <Link to="/p/$project/sessions" params={{ project: projectId }} className="rail-logo" aria-label="Playhead">
        <Logo />
      </Link>
      <RailLink to="/p/$project/sessions" projectId={projectId} icon="sessions" label="Sessions" />
      <RailLink to="/p/$project/issues" projectId={projectId} icon="alert" label="Issues" />
      <RailLink to="/p/$project/endpoints" projectId={projectId} icon="gauge" label="API" also="/p/$project/pages" />
      <RailLink to="/p/$project/alerts" projectId={projectId} icon="bell" label="Alerts" />
      <span className="grow" />
      <Tooltip text="Go to…" side="right">
        <button type="button" className="rail-item" aria-label="Go to…" onClick={openPalette}>
          <Icon name="search" />
        </button>
      </Tooltip>
      <RailLink to="/p/$project/settings" projectId={projectId} icon="settings" label="Settings" />
      <AccountMenu />
    </nav>
  );
}

interface RailLinkProps {
  to:
    | '/p/$project/sessions'
    | '/p/$project/issues'
    | '/p/$project/endpoints'
    | '/p/$project/alerts'
    | '/p/$project/settings';
  projectId: string;
  icon: IconName;
  label: string;
  /** Another page that it stands for. */
  also?: '/p/$project/pages';
}

const ON = { className: 'on', 'aria-current': 'page' } as const;

function RailLink({ to, projectId, icon, label, also }: RailLinkProps) {
  const matches = useMatchRoute();
  const isOn = also !== undefined && matches({ to: also, params: { project: projectId } }) !== false;
  return (
    <Tooltip text={label} side="right">
      <Link
        to={to}
        params={{ project: projectId }}
        className="rail-item"
        activeProps={ON}
        inactiveProps={isOn ? ON : undefined}
        activeOptions={{ includeSearch: false }}
        aria-label={label}
      >
        <Icon name={icon} />
      </Link>
    </Tooltip>
  );
}

function AccountMenu() {
  const me = useQuery(meQuery).data;
  const [zone, setZone] = useZoneMode();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leave = () => {
    signOut()
      .then(async () => {
        queries.clear();
        await navigate({ to: '/sign-in', search: { signed_out: '1' } });
      })
      .catch(toastFailure('Signing out failed'));
  };
  return (
    <DropdownMenu.Root modal={false}>
      <Tooltip text="Account and display" side="right">
        <DropdownMenu.Trigger className="rail-item" aria-label="Account and display">
          <Icon name="user" />
        </DropdownMenu.Trigger>
      </Tooltip>
      <DropdownMenu.Content className="menu" side="right" align="end" sideOffset={8} collisionPadding={8}>
        <DropdownMenu.Label className="menu-label">
          {me ? `${me.name} · Playhead ${me.installation.version}` : 'Playhead'}
        </DropdownMenu.Label>
        <DropdownMenu.RadioGroup
          value={zone}
          onValueChange={(value) => {
            setZone(value === 'utc' ? 'utc' : 'local');
          }}
        >
          <ZoneItem value="local" label="Times in local zone" />
          <ZoneItem value="utc" label="Times in UTC" />
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Separator className="menu-separator" />
        <DropdownMenu.Item className="menu-item" onSelect={openShortcutsDialog}>
          <span className="grow">Keyboard shortcuts</span>
          <Kbd keys="?" />
        </DropdownMenu.Item>
        <DropdownMenu.Item className="menu-item" onSelect={leave}>
          Sign out
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

function ZoneItem({ value, label }: { value: string; label: string }) {
  return (
    <DropdownMenu.RadioItem className="menu-item" value={value}>
      <span className="grow">{label}</span>
      <DropdownMenu.ItemIndicator>
        <Icon name="check" small />
      </DropdownMenu.ItemIndicator>
    </DropdownMenu.RadioItem>
  );
}
