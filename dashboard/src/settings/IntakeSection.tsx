import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { fetchDeadLetters } from '../api/endpoints';
import type { DeadLetter, Intake } from '../api/model';
import { projectStatusQuery } from '../api/queries';
import { formatBytes, formatCount } from '../format/number';
import { Button, Chip, ErrorState, Skeleton, Time } from '../ui';
import { Panel } from './Panel';

const REFRESH_INTERVAL_MS = 10_000;

/** What arrived, and what could not be used and why. */
export function IntakeSection({ projectId }: { projectId: string }) {
  const status = useQuery({ ...projectStatusQuery(projectId), refetchInterval: REFRESH_INTERVAL_MS });
  return (
    <Panel
      id="intake"
      title="Intake"
      about={
        status.data?.intake.since === undefined ? (
          'What arrived in the last 24 hours.'
        ) : (
          <>
            What arrived since <Time at={status.data.intake.since} />.
          </>
        )
      }
    >
      {status.isPending && <Skeleton width="70%" />}
      {status.isError && !status.data && (
        <ErrorState title="Intake could not be loaded" error={status.error} retry={() => void status.refetch()} />
      )}
      {status.data && <Figures intake={status.data.intake} />}
      <h3 className="panel-sub">Dead letters</h3>
      <DeadLetters projectId={projectId} />
    </Panel>
  );
}

function Figures({ intake }: { intake: Intake }) {
  const deadLetters = Object.values(intake.dead_letters).reduce((sum, count) => sum + count, 0);
  const figures: [label: string, value: string, title: string][] = [
    ['Batches', formatCount(intake.batches), 'Acknowledged and processed'],
    ['Received', formatBytes(intake.bytes), 'Compressed bytes, as they were sent'],
    ['Events', formatCount(intake.signals), 'Errors, requests, clicks and the like'],
    ['Not understood', formatCount(intake.dropped_signals), 'Single events with bad fields: dropped, the others kept'],
    ['Duplicates', formatCount(intake.duplicates), 'Batches that arrived again and were counted once'],
    ['Erased', formatCount(intake.suppressed), 'Batches of sessions or users that were deleted'],
    ['Dead letters', formatCount(deadLetters), 'Batches that could not be read'],
  ];
  return (
    <dl className="figures">
      {figures.map(([label, value, title]) => (
        <div key={label} title={title}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function DeadLetters({ projectId }: { projectId: string }) {
  const letters = useInfiniteQuery({
    queryKey: ['dead-letters', projectId],
    queryFn: ({ pageParam, signal }) => fetchDeadLetters(projectId, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_INTERVAL_MS),
  });
  if (letters.isPending) return <Skeleton width="60%" />;
  if (letters.isError && !letters.data) {
    return (
      <ErrorState title="Dead letters could not be loaded" error={letters.error} retry={() => void letters.refetch()} />
    );
  }
  const items = letters.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return <p className="muted-text">None: everything that arrived could be read.</p>;
  return (
    <>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Dead letters">
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">Received</th>
              <th scope="col">Reason</th>
              <th scope="col">Session</th>
              <th scope="col" className="num">
                Batch
              </th>
              <th scope="col" className="num">
                Size
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((letter) => (
              <DeadLetterRow
                key={`${String(letter.partition)}-${String(letter.offset)}`}
                letter={letter}
                projectId={projectId}
              />
            ))}
          </tbody>
        </table>
      </div>
      {letters.hasNextPage && (
        <div className="panel-actions">
          <Button disabled={letters.isFetchingNextPage} onClick={() => void letters.fetchNextPage()}>
            {letters.isFetchingNextPage ? 'Loading…' : 'Show more'}
          </Button>
        </div>
      )}
    </>
  );
}

function DeadLetterRow({ letter, projectId }: { letter: DeadLetter; projectId: string }) {
  return (
    <tr>
      <td>
        <Time at={letter.received_at} />
      </td>
      <td>
        <Chip tone="warn">{letter.reason}</Chip> <span className="muted-text">{letter.detail}</span>
      </td>
      <td className="mono">
        {letter.session_id === null ? (
          'unknown'
        ) : (
          <Link
            className="link"
            to="/p/$project/sessions/$session"
            params={{ project: projectId, session: letter.session_id }}
            title={letter.session_id}
          >
            {letter.session_id.slice(0, 8)}
          </Link>
        )}
      </td>
      <td className="num" title={`Partition ${String(letter.partition)}, offset ${String(letter.offset)}`}>
        {letter.seq}
      </td>
      <td className="num">{formatBytes(letter.bytes)}</td>
    </tr>
  );
}
