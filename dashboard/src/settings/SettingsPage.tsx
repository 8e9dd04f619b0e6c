import './settings.css';

import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { projectsQuery, useProject } from '../api/queries';
import { TopBar } from '../shell/TopBar';
import { ErrorState, Skeleton } from '../ui';
import { DangerSection } from './DangerSection';
import { InstallSection } from './InstallSection';
import { IntakeSection } from './IntakeSection';
import { IssuesForm } from './IssuesForm';
import { JiraSection } from './JiraSection';
import { KeysSection } from './KeysSection';
import { RecordingForm } from './RecordingForm';

const SECTIONS = [
  ['install', 'Install'],
  ['recording', 'Recording and privacy'],
  ['issues', 'Issues'],
  ['jira', 'Jira'],
  ['keys', 'Keys'],
  ['intake', 'Intake'],
  ['danger', 'Danger zone'],
] as const;

export function SettingsPage() {
  const { project: projectId } = useParams({ from: '/p/$project/settings' });
  const projects = useQuery(projectsQuery);
  const project = useProject(projectId);
  if (projects.isError && !project) {
    return (
      <ErrorState title="Settings could not be loaded" error={projects.error} retry={() => void projects.refetch()} />
    );
  }
  return (
    <div className="settings">
      <TopBar crumbs={['Settings']} />
      <div className="settings-scroll">
        <nav className="settings-nav" aria-label="Sections of the settings">
          {SECTIONS.map(([id, label]) => (
            <a key={id} href={`#${id}`}>
              {label}
            </a>
          ))}
        </nav>
        {project ? (
          <div className="settings-sections" key={project.id}>
            <InstallSection project={project} />
            <RecordingForm project={project} />
            <IssuesForm project={project} />
            <JiraSection projectId={project.id} />
            <KeysSection project={project} />
            <IntakeSection projectId={project.id} />
            <DangerSection project={project} />
          </div>
        ) : (
          <div className="settings-sections" aria-busy="true" role="status" aria-label="Loading settings">
            {[1, 2, 3].map((part) => (
              <section className="panel" key={part}>
                <Skeleton width="30%" />
                <Skeleton width="80%" />
                <Skeleton width="65%" />
              </section>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
