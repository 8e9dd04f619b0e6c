import { useQuery } from '@tanstack/react-query';
import { Outlet, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { meQuery, projectsQuery } from '../api/queries';
import { EmptyState, ErrorState, useShortcuts } from '../ui';
import { CommandPalette } from './CommandPalette';
import { Rail } from './Rail';
import { EVERYWHERE, openShortcutsDialog, ShortcutsDialog } from './ShortcutsDialog';

/** The frame around every page of a project: the rail, the palette and the list of shortcuts. */
export function AppShell() {
  const { project: projectId } = useParams({ from: '/p/$project' });
  const [paletteOpen, setPaletteOpen] = useState(false);
  useQuery(meQuery);
  useShortcuts(EVERYWHERE, [
    {
      keys: 'mod+k',
      label: 'Go to…',
      run: () => {
        setPaletteOpen(true);
      },
    },
    { keys: '?', label: 'List of shortcuts', run: openShortcutsDialog },
  ]);
  return (
    <div className="app">
      <Rail
        projectId={projectId}
        openPalette={() => {
          setPaletteOpen(true);
        }}
      />
      <main className="page">
        <ProjectOutlet projectId={projectId} />
      </main>
      <CommandPalette
        open={paletteOpen}
        onClose={() => {
          setPaletteOpen(false);
        }}
        projectId={projectId}
      />
      <ShortcutsDialog />
    </div>
  );
}

function ProjectOutlet({ projectId }: { projectId: string }) {
  const projects = useQuery(projectsQuery);
  const project = projects.data?.find((candidate) => candidate.id === projectId);
  if (projects.isError && !projects.data) {
    return (
      <ErrorState
        wholePage
        title="Projects could not be loaded"
        error={projects.error}
        retry={() => {
          void projects.refetch();
        }}
      />
    );
  }
  if (projects.data && !project) {
    return (
      <EmptyState wholePage icon="alert" title="No such project">
        <p>It does not exist, or your sign-in does not open it.</p>
        <a className="link" href="/">
          Go to the first project
        </a>
      </EmptyState>
    );
  }
  return <Outlet />;
}
