import type { ReactNode } from 'react';
import { Button, Empty } from './ui.tsx';

export type Column<T> = {
  header: ReactNode;
  key: string;
  cell: (row: T) => ReactNode;
  isNumber?: boolean;
  /** Left out on a phone. */
  isWide?: boolean;
};

type TableProps<T> = {
  /** Names the table for those who do not see it. */
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string | number;
  empty: ReactNode;
};

/** A table that scrolls inside its own frame, never the page. Browsers let the keyboard reach a frame that scrolls. */
export function DataTable<T>({ label, columns, rows, rowKey, empty }: TableProps<T>) {
  if (rows.length === 0) return typeof empty === 'string' ? <Empty title={empty} /> : empty;
  return (
    <section className="relative overflow-x-auto" aria-label={label}>
      <table className="w-full border-collapse text-sm">
        <thead>
          <tr className="border-b border-line text-left text-xs text-soft">
            {columns.map((column) => (
              <th
                key={column.key}
                scope="col"
                className={`px-2.5 py-1.5 font-medium whitespace-nowrap first:pl-4 last:pr-4 ${column.isNumber ? 'text-right' : ''} ${column.isWide ? 'hidden md:table-cell' : ''}`}
              >
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className="border-b border-line last:border-b-0 hover:bg-well/60">
              {columns.map((column) => (
                <td
                  key={column.key}
                  className={`px-2.5 py-1.5 align-top first:pl-4 last:pr-4 ${column.isNumber ? 'text-right whitespace-nowrap tabular-nums' : ''} ${column.isWide ? 'hidden md:table-cell' : ''}`}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type Pages = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };

export function MoreRows({ query }: { query: Pages }) {
  if (!query.hasNextPage) return null;
  return (
    <div className="border-t border-line px-4 py-2.5">
      <Button isBusy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
