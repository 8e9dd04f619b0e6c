const PATHS = {
  sessions: 'M4 4h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8.5 7.5v4l3.5-2z',
  settings:
    'M10 7.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM10 2v3M10 15v3M2 10h3M15 10h3M4.3 4.3l2.1 2.1M13.6 13.6l2.1 2.1M4.3 15.7l2.1-2.1M13.6 6.4l2.1-2.1',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4',
  filter: 'M3 4h14l-5 6v6l-4-2v-4z',
  alert: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 6v5M10 13.6v.1',
  bell: 'M5 8.500a5 5 0 0 1 10 0c0 4.500 1.800 5.500 1.800 5.500H3.200S5 13 5 8.500M8.300 17a2 2 0 0 0 3.400 0',
  gauge: 'M3.500 14.500a7.500 7.500 0 1 1 13 0M10 12l3.500-4',
  check: 'M4 10.5l4 4 8-9',
  close: 'M5 5l10 10M15 5L5 15',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  link: 'M8.5 11.5l3-3M7 9l-2.5 2.5a2.8 2.8 0 0 0 4 4L11 13M9 7l2.5-2.5a2.8 2.8 0 0 1 4 4L13 11',
  down: 'M5 8l5 5 5-5',
  up: 'M5 12l5-5 5 5',
  left: 'M12 5l-5 5 5 5',
  right: 'M8 5l5 5-5 5',
  sort: 'M7 4v12M4 13l3 3 3-3M13 16V4M10 7l3-3 3 3',
  clock: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM10 6v4.2l2.8 1.8',
  user: 'M10 3.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4zM3.5 17c.8-3 3.3-4.6 6.500-4.600s5.700 1.600 6.500 4.600',
  play: 'M6 4v12M6 4l10 6-10 6z',
  plus: 'M10 4v12M4 10h12',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10.500h6.600L14 6M8.500 9v5M11.500 9v5',
  key: 'M7 9.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM9.500 10.500L16 4M13 7l2.500 2.500',
  external: 'M11 4h5v5M16 4l-7 7M14 12v4H4V6h4',
  signOut: 'M8 4H4v12h4M12 7l3 3-3 3M15 10H8',
  refresh: 'M16 10a6 6 0 1 1-1.800-4.300M16 3v3.500h-3.500',
  command:
    'M7 7h6v6H7zM7 7V5.200A1.800 1.800 0 1 0 5.200 7H7M13 7h1.800A1.800 1.800 0 1 0 13 5.200V7M13 13v1.800a1.800 1.800 0 1 0 1.800-1.800H13M7 13H5.200A1.800 1.800 0 1 0 7 14.800V13',
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing on a 20 px grid in the colour of the text around it. It is decoration: name the control, not the icon. */
export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? 'icon small' : 'icon'} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
      <path d="M3 1v12M3 2l8 5-8 5z" fill="currentColor" stroke="currentColor" />
    </svg>
  );
}
