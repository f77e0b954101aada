import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ApiProblem, createClient } from '@touchstone/contracts/client';
import {
  getRun,
  type ImportPreview,
  listCases,
  previewImport,
  type Run,
  startImport,
  UPLOAD_BYTES_MAX,
  uploadFile,
} from '@touchstone/contracts/data';
import { accepted, type Task } from '@touchstone/contracts/tasks';
import { checkFile } from '../check-file.ts';
import { type Call, type Command, type Output, UsageError } from '../command.ts';
import { createProgress } from '../progress.ts';
import { bytes, facts, number, show, table } from '../render.ts';
import { TaskEnded, watchTask } from '../watch-task.ts';

const KINDS = {
  prices: ['prices', 'daily bars', 'prices.csv.gz --source my-prices --currency USD'],
  'market-caps': ['market_caps', 'market capitalisations', 'caps.csv --source my-caps'],
  'corporate-actions': ['corporate_actions', 'splits and dividends', 'actions.csv --source my-prices'],
  'exchange-rates': ['exchange_rates', 'exchange rates', 'rates.csv --source my-rates'],
  macro: ['macro', 'macro series', 'cpi.csv --source my-macro'],
} as const;
type FileKind = (typeof KINDS)[keyof typeof KINDS][0];

const OPTIONS = {
  source: {
    value: 'CODE',
    summary: 'Source to tell the facts to; made if new. Default: named after the file or folder',
  },
  basis: { value: 'BASIS', summary: 'raw, split-adjusted or total-return; default detected' },
  currency: { value: 'CODE', summary: 'ISO 4217 code; default detected or USD' },
  calendar: { value: 'CODE', summary: 'Trading calendar of a new source, like XNYS' },
  separator: { value: 'CHAR', summary: 'comma, semicolon, tab or pipe; default detected' },
  decimal: { value: 'CHAR', summary: 'point or comma; default detected' },
  'date-order': { value: 'ORDER', summary: 'ymd, dmy or mdy; default detected' },
  'time-zone': { value: 'ZONE', summary: 'IANA zone of time stamps' },
  symbol: { value: 'SYMBOL', summary: 'For one file of one symbol without a column for it' },
  column: { value: 'ROLES', summary: 'Columns by role: date=Date,close=Last' },
  universe: { value: 'NAME', summary: 'Also make a universe of everything the source has' },
  'on-bad-row': { value: 'CHOICE', summary: 'keep-good (default) or refuse-file' },
  preview: { summary: 'Show how the files would be read; store nothing' },
  detach: { summary: 'Do not wait for the end' },
};

export const importCommands: Command[] = Object.entries(KINDS).map(([word, [kind, what, example]]) => ({
  name: `import ${word}`,
  summary: `Bring in ${what} from CSV or CSV.gz`,
  args: ['FILE…'],
  options: OPTIONS,
  example: `import ${word} ${example}`,
  run: (call) => importFiles(call, kind),
}));

async function importFiles(call: Call, kind: FileKind): Promise<Output> {
  const choices = choicesOf(call);
  if (choices.symbol !== undefined && call.args.length > 1) {
    throw new UsageError(
      '--symbol is for one file; files of several symbols name theirs in a column or in the file name.',
    );
  }
  const onBadRow = oneOf(call, 'on-bad-row', { 'keep-good': 'keep-good', 'refuse-file': 'refuse-file' }) ?? 'keep-good';
  const source = { code: call.text('source') ?? codeFor(call.args), calendar: call.text('calendar') };
  for (const file of call.args) await checkFile(file);

  const results: Result[] = [];
  for (const file of call.args) {
    const fileName = path.basename(file);
    try {
      const { uploadId } = await upload(call, file, fileName);
      const about = { uploadId, fileName, kind, choices };
      if (call.flag('preview')) {
        const preview = await call.client.call(previewImport, { body: about });
        results.push({ file, json: preview, text: describePreview(preview) });
        continue;
      }
      const body = { ...about, source, onBadRow, universeName: call.text('universe') };
      const { task } = accepted.parse(await call.client.call(startImport, { body }));
      if (call.flag('detach')) results.push({ file, json: { task }, text: `Task ${task.id} reads ${file}.\n` });
      else results.push(await describeDone(call, file, await watchTask(call, task)));
    } catch (error) {
      // Other files may be fine: say what is wrong with this one and go on.
      if (call.args.length === 1 || !(error instanceof ApiProblem || error instanceof TaskEnded)) throw error;
      results.push({ file, json: { problem: problemOf(error) }, text: `${file}: ${error.message}\n`, failed: true });
    }
  }
  const failed = results.filter((result) => result.failed).length;
  const total = failed === 0 ? '' : `\n${failed} of ${results.length} files were not imported.\n`;
  return {
    json: results.length === 1 ? results[0]?.json : { items: results.map(({ file, json }) => ({ file, ...json })) },
    text: results.map((result) => result.text).join('\n') + total,
    exitCode: failed > 0 ? 1 : 0,
  };
}

type Result = { file: string; json: object; text: string; failed?: boolean };

function problemOf(error: ApiProblem | TaskEnded) {
  return error instanceof ApiProblem ? error.problem : error.task.problem;
}

/** One file names its source by its name, several by their folder. */
function codeFor(files: readonly string[]): string {
  const [first = ''] = files;
  const name =
    files.length === 1
      ? path.basename(first).replace(/(\.(csv|txt|tsv|gz))+$/i, '')
      : path.basename(path.dirname(path.resolve(first)));
  const code = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 63);
  return code === '' ? 'files' : code;
}

function choicesOf(call: Call) {
  const columns = call.text('column');
  return {
    separator: oneOf(call, 'separator', {
      comma: ',',
      semicolon: ';',
      tab: '\t',
      pipe: '|',
      ',': ',',
      ';': ';',
      '\\t': '\t',
      '|': '|',
    }),
    decimalMark: oneOf(call, 'decimal', { point: '.', comma: ',', '.': '.', ',': ',' }),
    dateOrder: oneOf(call, 'date-order', { ymd: 'ymd', dmy: 'dmy', mdy: 'mdy' }),
    timeZone: call.text('time-zone'),
    currency: call.text('currency')?.toUpperCase(),
    priceBasis: oneOf(call, 'basis', {
      raw: 'raw',
      'split-adjusted': 'split_adjusted',
      split_adjusted: 'split_adjusted',
      'total-return': 'total_return',
      total_return: 'total_return',
    }),
    symbol: call.text('symbol'),
    columns: columns === undefined ? undefined : rolesOf(columns),
  };
}

function rolesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [role, ...name] = pair.split('=');
      if (role === undefined || name.length === 0)
        throw new UsageError(`--column must be like date=Date, was "${pair}".`);
      return [role.trim(), name.join('=').trim()];
    }),
  );
}

function oneOf<T extends string>(call: Call, name: string, values: Readonly<Record<string, T>>): T | undefined {
  const given = call.text(name);
  if (given === undefined) return undefined;
  const value = values[given];
  if (value !== undefined) return value;
  throw new UsageError(`--${name} must be one of ${Object.keys(values).join(' ')}, was "${given}".`);
}

async function upload(call: Call, file: string, fileName: string): Promise<{ uploadId: string }> {
  const { size } = await stat(file);
  if (size > UPLOAD_BYTES_MAX) {
    throw new UsageError(
      `${file} has ${bytes(size)}; at most ${bytes(UPLOAD_BYTES_MAX)} can be sent at once. Split it.`,
    );
  }
  const blob = await openAsBlob(file);
  const progress = createProgress(call.terminal, `Send ${fileName}`);
  const client = createClient(
    call.connection.sendWith((sent) => progress.show(sent / blob.size, `${bytes(sent)} of ${bytes(blob.size)}`)),
  );
  try {
    const response = await client.raw(uploadFile, { query: { fileName }, body: blob });
    return uploadFile.answer!.parse(await response.json());
  } finally {
    progress.done();
  }
}

function describePreview(preview: ImportPreview): string {
  const told = (['layout', 'separator', 'decimalMark', 'dateOrder', 'timeZone', 'currency', 'priceBasis'] as const).map(
    (name) => ({ name, ...preview[name] }),
  );
  const names = [...new Set(preview.rows.flatMap((row) => Object.keys(row)))];
  return [
    `${preview.fileName}: ${bytes(preview.byteCount)}, ${preview.kind}\n\n`,
    table(
      told,
      [
        { title: 'WHAT', value: (row) => row.name },
        { title: 'READ AS', value: (row) => (row.value === '\t' ? 'tab' : row.value), right: false },
        { title: 'HOW SURE', value: (row) => row.confidence },
        { title: 'EVIDENCE', value: (row) => row.evidence, whole: true },
      ],
      '',
    ),
    `\ncolumns: ${Object.entries(preview.columns)
      .map(([role, column]) => `${role} = "${column}"`)
      .join(', ')}\n`,
    preview.unknownColumns.length > 0 ? `not used: ${preview.unknownColumns.join(', ')}\n` : '',
    `\n${table(
      preview.rows,
      names.map((name) => ({ title: name, value: (row) => row[name] })),
      'No row can be read.',
    )}`,
    describeRowProblems(preview.rowProblems, preview.rowProblems.length),
    ...preview.warnings.map((warning) => `warning: ${warning}\n`),
  ].join('');
}

/** What came of the delivery: the run, and the findings of the quality court by kind. */
async function describeDone(call: Call, file: string, task: Task): Promise<Result> {
  const runId = task.result?.runId;
  if (typeof runId !== 'number') {
    return { file, json: { task }, text: `${file}: done.\n${facts(Object.entries(task.result ?? {}))}` };
  }
  const run = await call.client.call(getRun, { params: { runId } });
  const { byKind } = await call.client.call(listCases, { query: { runId, limit: 1 } });
  return { file, json: { task, run, findings: byKind }, text: describeRun(run) + describeFindings(byKind, run) };
}

export function describeRun(run: Run): string {
  const counts = facts([
    ['run', `${run.id}, ${run.state}, source ${run.sourceName}, ${run.priceBasis?.replace('_', ' ') ?? run.kind}`],
    ['file', run.fileName],
    ['days', run.firstDay === null ? null : `${run.firstDay} to ${show(run.lastDay)}`],
    ['rows', run.rowCount],
    ['accepted', run.acceptedCount],
    ['unchanged', run.unchangedCount],
    ['revised', run.revisedCount],
    ['quarantined', run.quarantinedCount],
    ['malformed', run.errorCount],
    ['published', run.publishedAt],
    ['content', run.contentSha256],
    ...(run.retractedAt === null ? [] : [['retracted', `${show(run.retractedAt)}: ${run.retractReason}`] as const]),
    ...(run.note === '' ? [] : [['note', run.note] as const]),
  ]);
  return counts + describeRowProblems(run.errors, run.errorCount);
}

function describeFindings(byKind: readonly { kind: string; open: number }[], run: Run): string {
  if (byKind.length === 0) return 'The quality court found nothing.\n';
  const list = byKind.map(({ kind, open }) => `${kind} ${number(open)}`).join(', ');
  return `findings: ${list}\nLook at them with: touchstone cases --run ${run.id}\n`;
}

function describeRowProblems(problems: Run['errors'], count: number): string {
  if (problems.length === 0) return '';
  const more = count > problems.length ? `and ${number(count - problems.length)} more\n` : '';
  return `\n${table(
    problems,
    [
      { title: 'FILE', value: (row) => row.file },
      { title: 'LINE', value: (row) => row.line },
      { title: 'COLUMN', value: (row) => row.column },
      { title: 'RULE', value: (row) => row.rule, whole: true },
    ],
    '',
  )}${more}`;
}
