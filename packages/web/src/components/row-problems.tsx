import type { ImportPreview } from '@touchstone/contracts/data';
import { formatCount } from '../lib/format.ts';
import { DataTable } from './data-table.tsx';

/** Malformed rows: where exactly, and which rule they break. */
export function RowProblems(props: { problems: ImportPreview['rowProblems']; empty: string }) {
  return (
    <DataTable
      label="Malformed rows"
      rows={props.problems}
      rowKey={(problem) => `${problem.file} ${problem.line} ${problem.column} ${problem.rule}`}
      empty={props.empty}
      columns={[
        { key: 'file', header: 'File', isWide: true, cell: (problem) => problem.file },
        { key: 'line', header: 'Line', isNumber: true, cell: (problem) => formatCount(problem.line) },
        { key: 'column', header: 'Column', cell: (problem) => problem.column ?? '–' },
        { key: 'rule', header: 'Rule', cell: (problem) => problem.rule },
      ]}
    />
  );
}
