import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { router } from './app/router.tsx';
import './app/style.css';
import { AUTH_KEY } from './lib/auth.ts';
import { queryClient } from './lib/query.ts';
import { whenSessionChanges } from './lib/session.ts';

whenSessionChanges(() => {
  void queryClient.invalidateQueries({ queryKey: AUTH_KEY });
});

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no root element.');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
