import { Link, type LinkProps } from '@tanstack/react-router';
import type { Reading } from '@touchstone/contracts/market';
import type { Route } from '@touchstone/contracts/route';
import type { ReactNode } from 'react';
import { QueryView } from './query-view.tsx';
import { ReadingFoot } from './reading-foot.tsx';
import { Panel } from './ui.tsx';

/** What is looked at. */
export type Subject = { kind: 'instrument' | 'index'; id: number };

type GlanceProps<T> = {
  title: string;
  subject: Subject;
  to: NonNullable<LinkProps['to']>;
  unit: string;
  route: Route;
  query: Parameters<typeof QueryView<T>>[0]['query'];
  children: (data: T) => ReactNode;
};

/** One figure of a subject, and the door to the page that tells all about it. */
export function Glance<T extends Reading>({ title, subject, to, unit, route, query, children }: GlanceProps<T>) {
  return (
    <Panel
      title={title}
      actions={
        <Link to={to} params={subject} className="link text-sm" aria-label={`Look closer: ${title}`}>
          Look closer
        </Link>
      }
      footer={query.data && <ReadingFoot unit={unit} reading={query.data} route={route} />}
    >
      <QueryView query={query} lines={2}>
        {(data) => <div className="text-sm text-soft">{children(data)}</div>}
      </QueryView>
    </Panel>
  );
}

type FigureProps = { value: string; note: ReactNode; isSmall?: boolean };

export function Figure({ value, note, isSmall }: FigureProps) {
  return (
    <>
      <span
        className={`block text-ink tabular-nums ${isSmall ? 'text-base font-medium' : 'text-2xl font-semibold tracking-tight'}`}
      >
        {value}
      </span>
      <span className="block text-sm text-soft">{note}</span>
    </>
  );
}
