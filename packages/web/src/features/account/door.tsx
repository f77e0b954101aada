import type { ReactNode } from 'react';

/** The narrow page of signing in, joining and coming back. */
export function Door({ title, children, below }: { title: string; children: ReactNode; below?: ReactNode }) {
  return (
    <div className="mx-auto max-w-sm py-6">
      <title>{`${title} · Touchstone`}</title>
      <h1 className="mb-4 text-2xl font-semibold tracking-tight">{title}</h1>
      <div className="space-y-4 rounded-md border border-line bg-sheet p-5">{children}</div>
      {below && <div className="mt-4 text-sm text-soft">{below}</div>}
    </div>
  );
}
