import type { ImportPreview } from '@touchstone/contracts/data';
import { DataTable } from '../../components/data-table.tsx';
import { RowProblems } from '../../components/row-problems.tsx';
import { Note, Panel } from '../../components/ui.tsx';
import { formatPlain, plural, words } from '../../lib/format.ts';

/** The first rows as they will be read, and what is wrong among them. */
export function PreviewPanel({ preview }: { preview: ImportPreview }) {
  const keys = [...new Set(preview.rows.flatMap((row) => Object.keys(row)))].filter((key) =>
    preview.rows.some((row) => row[key] !== null),
  );
  // The basis is asked in the step above, with the same evidence.
  const warnings = preview.warnings.filter((warning) => !warning.includes(preview.priceBasis.evidence));
  return (
    <>
      {warnings.map((warning) => (
        <Note key={warning} tone="warn">
          {warning}
        </Note>
      ))}
      <Panel title="First rows" hint={`${preview.fileName}, as it will be read`} flush>
        <DataTable
          label="First rows as they will be read"
          rows={preview.rows.map((row, at) => ({ row, at }))}
          rowKey={({ at }) => at}
          empty="No row could be read."
          columns={keys.map((key) => ({
            key,
            header: words(key.replace(/([A-Z])/g, ' $1').toLowerCase()),
            isNumber: preview.rows.some((row) => typeof row[key] === 'number'),
            cell: ({ row }: { row: Record<string, string | number | null>; at: number }) => (
              <span className="whitespace-nowrap">{cellText(row[key])}</span>
            ),
          }))}
        />
      </Panel>
      {preview.rowProblems.length > 0 && (
        <Panel title="Malformed rows" hint={`${plural(preview.rowProblems.length, 'row')} among the first lines`} flush>
          <RowProblems problems={preview.rowProblems} empty="None." />
        </Panel>
      )}
    </>
  );
}

function cellText(value: string | number | null | undefined): string {
  return typeof value === 'number' ? formatPlain(value) : (value ?? '–');
}
