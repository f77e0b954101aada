import type { ReactNode } from 'react';
import { formatInstant } from '../lib/format.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { Loading, Panel } from './ui.tsx';

type Query<T> = {
  data: T | undefined;
  error: unknown;
  isPlaceholderData: boolean;
  dataUpdatedAt: number;
  refetch: () => unknown;
};

/**
 * The states of everything that is read. Loading holds the place; failed says why; old data stay in sight, dimmed while
 * the answer to a newer question is on its way, and named as old when that answer failed.
 */
export function QueryView<T>(props: { query: Query<T>; lines?: number; children: (data: T) => ReactNode }) {
  const { query } = props;
  if (query.data === undefined) {
    if (query.error === null) return <Loading lines={props.lines ?? 4} />;
    return (
      <div className="p-4">
        <ProblemNotice error={query.error} onRetry={() => query.refetch()} />
      </div>
    );
  }
  return (
    <>
      {query.error !== null && (
        <div className="p-4">
          <ProblemNotice error={query.error} onRetry={() => query.refetch()} />
          <p className="mt-2 text-sm text-soft">
            What follows is old: it was loaded {formatInstant(new Date(query.dataUpdatedAt).toISOString())}.
          </p>
        </div>
      )}
      <div
        aria-busy={query.isPlaceholderData || undefined}
        className={`min-w-0 ${query.isPlaceholderData ? 'opacity-50 transition-opacity delay-150' : ''}`}
      >
        {props.children(query.data)}
      </div>
    </>
  );
}

/** The same for data that bring a panel of their own: until they are there, an empty one holds their place. */
export function QueryPanel<T>(props: {
  title: string;
  query: Query<T>;
  lines: number;
  children: (data: T) => ReactNode;
}) {
  const view = (
    <QueryView query={props.query} lines={props.lines}>
      {props.children}
    </QueryView>
  );
  return props.query.data === undefined ? (
    <Panel title={props.title} flush>
      {view}
    </Panel>
  ) : (
    view
  );
}
