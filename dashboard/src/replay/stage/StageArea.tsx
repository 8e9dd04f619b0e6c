import { useEffect, useRef, useState } from 'react';
import type { Stream } from '../../api/model';
import { Tooltip } from '../../ui';
import { lastAtOrBefore, text } from '../moments';
import type { Size } from '../protocol';
import type { Shared } from '../Recording';
import { useAtPlayHead, usePlayerState } from '../use-player';
import { StageNotice } from './StageNotice';

const DEFAULT_SIZE: Size = { width: 1280, height: 800 };

/** The recorded page in its box, the address it was at, and the tabs to choose from. */
export function StageArea(shared: Shared) {
  const { manifest } = shared;
  const { engine, attachStage } = shared.player;
  const state = usePlayerState(engine);
  const area = useRef<HTMLDivElement>(null);
  const stream = manifest.streams.find((each) => each.id === state.stream);
  const box = useFittingBox(area, state.size ?? stream?.viewport ?? DEFAULT_SIZE);
  return (
    <div className="stage-area">
      <div className="stage-head">
        <AddressBar {...shared} stream={stream} />
        <TabSwitcher {...shared} shown={state.stream} />
      </div>
      <div className="stage-fit" ref={area}>
        <div className="stage-box" style={box}>
          {/* allow-same-origin, as the Replayer builds its own frame inside; nothing else that a page could want:
              no forms, no pop-ups, no dialogs, no navigation of the dashboard. */}
          <iframe
            ref={attachStage}
            className="stage-frame"
            src={`/stage?project=${encodeURIComponent(shared.session.project_id)}`}
            sandbox="allow-scripts allow-same-origin"
            title="Recorded page"
            tabIndex={-1}
          />
          <StageNotice {...shared} />
        </div>
      </div>
    </div>
  );
}

/** The largest box of this shape that fits. */
function useFittingBox(area: React.RefObject<HTMLDivElement | null>, size: Size): Size {
  const [room, setRoom] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setRoom({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [area]);
  const scale = Math.min(room.width / size.width, room.height / size.height);
  return { width: Math.floor(size.width * scale), height: Math.floor(size.height * scale) };
}

function AddressBar({ player, moments, stream }: Shared & { stream: Stream | undefined }) {
  const state = usePlayerState(player.engine);
  const navigated = useAtPlayHead(player.engine, (at) => addressAt(moments, stream?.id, at));
  const address = navigated ?? state.url ?? stream?.url ?? '';
  return (
    <span className="address mono ell" title={address}>
      {address}
    </span>
  );
}

function addressAt(moments: Shared['moments'], stream: string | undefined, at: number): string | null {
  for (let index = lastAtOrBefore(moments, at); index >= 0; index -= 1) {
    const moment = moments[index];
    if (moment?.stream === stream && (moment?.kind === 'page' || moment?.kind === 'navigation'))
      return text(moment.data['url']);
  }
  return null;
}

function TabSwitcher({ manifest, view, shown }: Shared & { shown: string | null }) {
  const tabs = tabsOf(manifest.streams);
  if (tabs.length < 2) return null;
  return (
    <div className="tab-switcher" role="group" aria-label="Browser tab">
      <Tooltip text="Show the tab that the person was looking at">
        <button
          type="button"
          className={view.tab === null ? 'on' : ''}
          aria-pressed={view.tab === null}
          onClick={() => {
            view.setTab(null);
          }}
        >
          Follow
        </button>
      </Tooltip>
      {tabs.map(({ tab, streams }) => {
        const isShown = streams.some((stream) => stream.id === shown);
        const isChosen = streams.some((stream) => stream.id === view.tab);
        return (
          <button
            key={tab}
            type="button"
            className={`${isChosen ? 'on' : ''} ${isShown ? 'shown' : ''}`}
            aria-pressed={isChosen}
            title={streams[0]?.url ?? ''}
            onClick={() => {
              view.setTab((streams.find((stream) => stream.id === shown) ?? streams[0])?.id ?? null);
            }}
          >
            Tab {tab}
            {isShown && <span className="hidden-text"> (shown)</span>}
          </button>
        );
      })}
    </div>
  );
}

function tabsOf(streams: readonly Stream[]): { tab: number; streams: Stream[] }[] {
  const tabs = new Map<number, Stream[]>();
  for (const stream of streams) tabs.set(stream.tab, [...(tabs.get(stream.tab) ?? []), stream]);
  return [...tabs].sort(([one], [other]) => one - other).map(([tab, own]) => ({ tab, streams: own }));
}
