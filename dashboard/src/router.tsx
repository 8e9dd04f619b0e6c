import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { readFiringFilters } from './alerts/filters';
import { projectsQuery } from './api/queries';
import { readIssueFilters } from './issues/filters';
import { readPerformanceFilters } from './performance/filters';
import { readFilters } from './sessions/filters';
import { SessionsPage } from './sessions/SessionsPage';
import { AppShell } from './shell/AppShell';
import { NoProjects, NotFound, PageFailed } from './shell/fallbacks';
import { SignInPage } from './sign-in/SignInPage';
import { parseSearch, stringifySearch } from './shell/search-params';

const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet });

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { token?: string; next?: string; signed_out?: string } => ({
    token: text(search['token']),
    next: text(search['next']),
    signed_out: text(search['signed_out']),
  }),
  component: SignInPage,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  loader: async ({ context }) => {
    const [first] = await context.queries.ensureQueryData(projectsQuery);
    if (first) throw redirect({ to: '/p/$project/sessions', params: { project: first.id }, replace: true });
  },
  component: NoProjects,
});

const projectRoute = createRoute({ getParentRoute: () => rootRoute, path: '/p/$project', component: AppShell });

const sessionsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/sessions',
  validateSearch: readFilters,
  component: SessionsPage,
});

const replayRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/sessions/$session',
  // The replay page reads and validates what it keeps here: t, at, pane, tab, issue.
  validateSearch: (search: Record<string, unknown>): Record<string, string | undefined> =>
    Object.fromEntries(Object.entries(search).map(([name, value]) => [name, text(value)])),
  component: lazyRouteComponent(() => import('./replay/ReplayPage'), 'ReplayPage'),
});

const issuesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/issues',
  validateSearch: readIssueFilters,
  component: lazyRouteComponent(() => import('./issues/IssuesPage'), 'IssuesPage'),
});

const issueRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/issues/$issue',
  validateSearch: (search: Record<string, unknown>): { span?: '30d' } =>
    search['span'] === '30d' ? { span: '30d' } : {},
  component: lazyRouteComponent(() => import('./issues/IssuePage'), 'IssuePage'),
});

const endpointsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/endpoints',
  validateSearch: readPerformanceFilters,
  component: lazyRouteComponent(() => import('./performance/EndpointsPage'), 'EndpointsPage'),
});

const endpointRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/endpoints/$endpoint',
  validateSearch: readPerformanceFilters,
  component: lazyRouteComponent(() => import('./performance/EndpointPage'), 'EndpointPage'),
});

const pagesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/pages',
  validateSearch: readPerformanceFilters,
  component: lazyRouteComponent(() => import('./performance/PagesPage'), 'PagesPage'),
});

const alertsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/alerts',
  validateSearch: readFiringFilters,
  component: lazyRouteComponent(() => import('./alerts/FiringsPage'), 'FiringsPage'),
});

const rulesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/alerts/rules',
  component: lazyRouteComponent(() => import('./alerts/RulesPage'), 'RulesPage'),
});

const ruleRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/alerts/rules/$rule',
  component: lazyRouteComponent(() => import('./alerts/RulePage'), 'RulePage'),
});

const channelsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/alerts/channels',
  component: lazyRouteComponent(() => import('./alerts/ChannelsPage'), 'ChannelsPage'),
});

const alertSettingsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/alerts/settings',
  component: lazyRouteComponent(() => import('./alerts/AlertSettingsPage'), 'AlertSettingsPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/SettingsPage'), 'SettingsPage'),
});

const routeTree = rootRoute.addChildren([
  homeRoute,
  signInRoute,
  projectRoute.addChildren([
    sessionsRoute,
    replayRoute,
    issuesRoute,
    issueRoute,
    endpointsRoute,
    endpointRoute,
    pagesRoute,
    alertsRoute,
    rulesRoute,
    ruleRoute,
    channelsRoute,
    alertSettingsRoute,
    settingsRoute,
  ]),
]);

export function createAppRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    context: { queries },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: PageFailed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
