import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { DropdownMenu } from 'radix-ui';
import { Fragment, useEffect, type ReactNode } from 'react';
import { projectsQuery, useProject } from '../api/queries';
import { Icon } from '../ui';

interface TopBarProps {
  /** What stands after the project: links or text; the last one is the page itself. */
  crumbs: readonly ReactNode[];
  /** Chips right after the crumbs. */
  facts?: ReactNode;
  actions?: ReactNode;
}

/** The 48 px bar on top of a page: where we are, what is known, what can be done. */
export function TopBar({ crumbs, facts, actions }: TopBarProps) {
  const project = useProject(useParams({ from: '/p/$project' }).project);
  const page = crumbs.at(-1);
  const title = [typeof page === 'string' ? page : null, project?.name, 'Playhead'].filter(Boolean).join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <header className="bar">
      <nav className="crumbs ell" aria-label="Breadcrumb">
        <ProjectCrumb />
        {crumbs.map((crumb, index) => (
          <Fragment key={index}>
            <span className="crumb-slash" aria-hidden="true">
              /
            </span>
            {index === crumbs.length - 1 ? (
              <h1 className="ell" aria-current="page">
                {crumb}
              </h1>
            ) : (
              crumb
            )}
          </Fragment>
        ))}
      </nav>
      {facts}
      <span className="grow" />
      {actions}
    </header>
  );
}

function ProjectCrumb() {
  const { project: projectId } = useParams({ from: '/p/$project' });
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery).data ?? [];
  const name = projects.find((project) => project.id === projectId)?.name ?? '…';
  if (projects.length < 2) {
    return (
      <Link to="/p/$project/sessions" params={{ project: projectId }} className="ell project-crumb">
        {name}
      </Link>
    );
  }
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="project-switch project-crumb" aria-label={`Project ${name}: switch`}>
        <span className="ell">{name}</span>
        <Icon name="down" small />
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="menu" align="start" sideOffset={6} collisionPadding={8}>
        <DropdownMenu.Label className="menu-label">Projects</DropdownMenu.Label>
        {projects.map((project) => (
          <DropdownMenu.Item
            key={project.id}
            className="menu-item"
            onSelect={() => {
              void navigate({ to: '/p/$project/sessions', params: { project: project.id } });
            }}
          >
            <span className="grow ell">{project.name}</span>
            {project.id === projectId && <Icon name="check" small />}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
