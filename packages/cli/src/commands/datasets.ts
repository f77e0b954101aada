import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generatorName, type SyntheticMark } from '@touchstone/contracts/augmentation';
import {
  augmentDataset,
  type Dataset,
  diffDatasets,
  downloadDataset,
  freezeDataset,
  getDataset,
  getDatasetPointer,
  listDatasets,
} from '@touchstone/contracts/datasets';
import { type Call, type Command, LIMIT_OPTION, type Output, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { allPages, limitOf, universeId } from '../look-up.ts';
import { bytes, facts, number, short, table } from '../render.ts';
import { saveTo } from '../save.ts';

export const datasetCommands: Command[] = [
  {
    name: 'dataset freeze',
    summary: 'Freeze the prices of a universe into an immutable file',
    args: ['UNIVERSE'],
    options: {
      from: { value: 'DAY', summary: 'First day' },
      to: { value: 'DAY', summary: 'Last day' },
      ...TIME_OPTIONS,
    },
    example: 'dataset freeze "My universe"',
    async run(call) {
      const universe = await universeId(call, call.args[0] ?? '');
      const dataset = await call.client.call(freezeDataset, {
        body: { universeId: universe, from: call.text('from'), to: call.text('to'), ...timesOf(call) },
      });
      return { json: dataset, text: describe(dataset) };
    },
  },
  {
    name: 'dataset augment',
    summary: 'Make a synthetic dataset from a frozen one, marked for good',
    args: ['HASH', 'GENERATOR'],
    options: {
      seed: { value: 'NUMBER', summary: 'Seed of the generator; default 1' },
      block: { value: 'DAYS', summary: 'Bootstrap: mean block; chosen from the data unless said' },
      crash: { value: 'LOGRETURN', summary: 'Crash injection: the whole move; default -0.2' },
      'crash-days': { value: 'DAYS', summary: 'Crash injection: days it takes; default 5' },
    },
    example: 'dataset augment 9f86d081884c stationary-bootstrap --seed 7',
    async run(call) {
      const sha256 = await hashOf(call, call.args[0]);
      const generator = generatorName.safeParse(call.args[1]);
      if (!generator.success) throw new UsageError(`GENERATOR is one of ${generatorName.options.join(', ')}.`);
      const dataset = await call.client.call(augmentDataset, {
        params: { sha256 },
        body: {
          generator: generator.data,
          seed: call.number('seed'),
          blockLength: call.number('block'),
          crashSize: call.number('crash'),
          crashDays: call.number('crash-days'),
        },
      });
      return { json: dataset, text: describe(dataset) };
    },
  },
  {
    name: 'dataset list',
    summary: 'Frozen questions, newest first',
    args: [],
    options: LIMIT_OPTION,
    example: 'dataset list',
    async run(call) {
      const answer = await allPages(limitOf(call), (page) => call.client.call(listDatasets, { query: page }));
      const text = table(
        answer.items,
        [
          { title: 'HASH', value: (row) => short(row.sha256) },
          { title: 'KIND', value: (row) => row.kind },
          { title: 'ROWS', value: (row) => row.rowCount },
          { title: 'SIZE', value: (row) => bytes(row.byteCount), right: true },
          { title: 'KNOWN AT', value: (row) => row.time.knownAt },
          { title: 'RECORDED AT', value: (row) => row.time.recordedAt },
          { title: 'FROZEN', value: (row) => row.createdAt },
        ],
        'Nothing was frozen yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'dataset show',
    summary: 'The manifest of one dataset',
    args: ['HASH'],
    example: 'dataset show 9f86d081884c',
    async run(call) {
      const dataset = await call.client.call(getDataset, { params: { sha256: await hashOf(call, call.args[0]) } });
      return { json: dataset, text: describe(dataset) };
    },
  },
  {
    name: 'dataset diff',
    summary: 'Rows added, removed and changed from one dataset to another',
    args: ['HASH', 'OTHER'],
    options: { limit: { value: 'COUNT', summary: 'Examples at most; default 100' } },
    example: 'dataset diff 9f86d081884c 9f86d081884c',
    async run(call) {
      const sha256 = await hashOf(call, call.args[0]);
      const otherSha256 = await hashOf(call, call.args[1]);
      const limit = call.number('limit') ?? 100;
      const diff = await call.client.call(diffDatasets, { params: { sha256, otherSha256 }, query: { limit } });
      const counts = (['added', 'removed', 'changed', 'unchanged'] as const).map(
        (name) => `${number(diff[name])} ${name}`,
      );
      const examples = table(
        diff.examples,
        [
          { title: 'CHANGE', value: (row) => row.change },
          { title: 'INSTRUMENT', value: (row) => row.instrumentId },
          { title: 'DAY', value: (row) => row.day },
          { title: 'BEFORE', value: (row) => row.before },
          { title: 'AFTER', value: (row) => row.after },
        ],
        'They are equal.',
      );
      return { json: diff, text: `${counts.join(', ')}\n\n${examples}` };
    },
  },
  {
    name: 'dataset download',
    summary: 'Save the Arrow IPC file itself, or its rows as CSV',
    args: ['HASH', 'FILE'],
    options: { csv: { summary: 'As CSV' } },
    example: 'dataset download 9f86d081884c prices.arrow',
    async run(call) {
      const sha256 = await hashOf(call, call.args[0]);
      const format = call.flag('csv') ? 'csv' : 'arrow';
      return saveTo(
        call.args[1] ?? '',
        await call.client.raw(downloadDataset, { params: { sha256 }, query: { format } }),
      );
    },
  },
  {
    name: 'dataset dvc',
    summary: 'Write a .dvc pointer, and the files into a folder laid out as a DVC cache or remote',
    args: ['HASH', 'FOLDER'],
    options: { remote: { value: 'FOLDER', summary: 'Where the files go; default FOLDER/.dvc/cache' } },
    example: 'dataset dvc 9f86d081884c my-repository',
    run: writeDvc,
  },
];

/** Files lie under the md5 of their content, as DVC 3 keeps them; one that is there already is not fetched again. */
async function writeDvc(call: Call): Promise<Output> {
  const sha256 = await hashOf(call, call.args[0]);
  const folder = call.args[1] ?? '';
  const remote = call.text('remote') ?? path.join(folder, '.dvc', 'cache');
  const { name, pointer, directory, files } = await call.client.call(getDatasetPointer, { params: { sha256 } });
  const placeOf = (md5: string) => path.join(remote, 'files', 'md5', md5.slice(0, 2), md5.slice(2));
  let written = 0;
  for (const { part, md5, byteCount } of files) {
    const file = placeOf(md5);
    if ((await stat(file).catch(() => null))?.size === byteCount) continue;
    await mkdir(path.dirname(file), { recursive: true });
    await saveTo(file, await call.client.raw(downloadDataset, { params: { sha256 }, query: { part } }));
    written++;
  }
  const list = placeOf(`${directory.md5}.dir`);
  await mkdir(path.dirname(list), { recursive: true });
  await writeFile(list, directory.text);
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${name}.dvc`);
  await writeFile(file, pointer);
  return {
    json: { pointer: file, remote, fileCount: files.length, writtenCount: written },
    text: `Wrote ${file}; ${written} of ${files.length} files are new in ${remote}.\n`,
  };
}

const HASH_LENGTH = 64;
const SEARCHED_MAX = 5000;

/** The first digits of a hash are enough while they fit one dataset only. */
async function hashOf(call: Call, text = ''): Promise<string> {
  const wanted = text.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(wanted)) throw new UsageError(`A hash has 4 to 64 hexadecimal digits, was "${text}".`);
  if (wanted.length === HASH_LENGTH) return wanted;
  const { items } = await allPages(SEARCHED_MAX, (page) => call.client.call(listDatasets, { query: page }));
  const found = items.filter((item) => item.sha256.startsWith(wanted));
  if (found.length === 1) return found[0]!.sha256;
  throw new UsageError(
    found.length === 0
      ? `No dataset begins with ${wanted}.`
      : `${found.length} datasets begin with ${wanted}: give more digits.`,
  );
}

function describe(dataset: Dataset): string {
  return facts([
    ['hash', dataset.sha256],
    ['kind', dataset.kind],
    ['question', JSON.stringify(dataset.query)],
    ['as of', dataset.time.asOf],
    ['known at', dataset.time.knownAt],
    ['recorded at', dataset.time.recordedAt],
    ['rows', dataset.rowCount],
    ['size', bytes(dataset.byteCount)],
    ['columns', dataset.columns.map((column) => `${column.name} ${column.type}`).join(', ')],
    ['frozen', dataset.createdAt],
    ...(dataset.synthetic === null ? [] : describeSynthetic(dataset.synthetic)),
  ]);
}

function describeSynthetic(mark: SyntheticMark): [string, string][] {
  return [
    ['made up by', `${mark.generator}, seed ${mark.seed}, from ${short(mark.parentSha256)}`],
    ['like the real', `${mark.factsWithin} of ${mark.factsMeasured} stylised facts within the real 95 % band`],
    ...mark.facts.map(({ fact, synthetic, low, high, isWithin }): [string, string] => [
      fact,
      synthetic === null || low === null || high === null
        ? 'not defined'
        : `${synthetic.toFixed(3)} in ${low.toFixed(3)} to ${high.toFixed(3)}: ${isWithin ? 'within' : 'outside'}`,
    ]),
  ];
}
