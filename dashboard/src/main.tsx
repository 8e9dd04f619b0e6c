import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './ui/tokens.css';
import './ui/base.css';
import './ui/controls.css';
import './ui/surfaces.css';
import './shell/shell.css';

import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Tooltip } from 'radix-ui';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueries } from './api/cache';
import { createAppRouter } from './router';
import { listenForShortcuts } from './ui/shortcuts';
import { Toasts } from './ui/toast';

const queries = createQueries(() => {
  router.navigate({ to: '/sign-in', search: { next: nextAfterSignIn() }, replace: true }).catch(() => undefined);
});
const router = createAppRouter(queries);

function nextAfterSignIn(): string | undefined {
  const { href, pathname } = router.state.location;
  return pathname === '/sign-in' || href === '/' ? undefined : href;
}

listenForShortcuts();
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Tooltip.Provider delayDuration={250} skipDelayDuration={200}>
          <RouterProvider router={router} />
          <Toasts />
        </Tooltip.Provider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
