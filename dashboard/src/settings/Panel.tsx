import type { ReactNode } from 'react';

interface PanelProps {
  id: string;
  title: string;
  /** One line that says what it is for. */
  about?: ReactNode;
  aside?: ReactNode;
  tone?: 'danger';
  children: ReactNode;
}

/** One section of the settings. */
export function Panel({ id, title, about, aside, tone, children }: PanelProps) {
  return (
    <section className={`panel ${tone ?? ''}`} id={id} aria-labelledby={`${id}-title`}>
      <header className="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <span className="grow" />
        {aside}
      </header>
      {about && <p className="panel-about">{about}</p>}
      {children}
    </section>
  );
}
