import { Link } from '@tanstack/react-router';
import { formatDuration, formatPosition } from '../format/duration';
import { countryName, productName } from '../format/text';
import { TopBar } from '../shell/TopBar';
import { openShortcutsDialog } from '../shell/ShortcutsDialog';
import { Button, Chip, Icon, Kbd, ReplayChip, Tooltip } from '../ui';
import type { Session } from '../api/model';
import type { Shared } from './Recording';
import { copyLink } from './use-replay-keys';
import { useAtPlayHead } from './use-player';

export function ReplayTopBar({ session, manifest, player }: Shared) {
  const at = useAtPlayHead(player.engine, formatPosition);
  const name = session.user?.email ?? session.user?.id ?? 'Anonymous';
  return (
    <TopBar
      crumbs={[
        <Link key="sessions" to="/p/$project/sessions" params={{ project: session.project_id }}>
          Sessions
        </Link>,
        <span key="name" title={session.id}>
          {name} · {formatDuration(session.duration_ms)}
        </span>,
      ]}
      facts={
        <>
          <ReplayChip state={manifest.state} reasons={manifest.reasons} lastHeard={manifest.ended_at} />
          <span className="bar-facts">
            {facts(session).map((fact) => (
              <Chip key={fact}>{fact}</Chip>
            ))}
          </span>
        </>
      }
      actions={
        <>
          <span className="wide-only">
            <Tooltip text="Shortcuts">
              <Button kind="ghost" aria-label="Shortcuts" onClick={openShortcutsDialog}>
                <Kbd keys="?" />
              </Button>
            </Tooltip>
          </span>
          <Button
            onClick={() => {
              copyLink(player.engine);
            }}
          >
            <Icon name="link" small />
            <span className="copy-words">Copy link at</span>
            <span className="num">{at}</span>
            <span className="wide-only" aria-hidden="true">
              <Kbd keys="T" />
            </span>
          </Button>
        </>
      }
    />
  );
}

function facts(session: Session): string[] {
  const client = [productName(session.browser), session.os.name].filter((part) => part !== null).join(' · ');
  const place = session.country === null ? '' : countryName(session.country);
  return [client, place, session.release ?? ''].filter((fact) => fact !== '');
}
