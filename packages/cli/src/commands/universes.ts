import {
  createUniverse,
  deleteUniverse,
  getUniverse,
  listUniverses,
  type Universe,
  undeleteUniverse,
} from '@touchstone/contracts/universes';
import { type Call, type Command, LIMIT_OPTION, UsageError } from '../command.ts';
import { allPages, instrumentId, limitOf, numberOf, sourceId, universeId } from '../look-up.ts';
import { facts, table } from '../render.ts';

export const VISIBILITY_OPTION = { visibility: { value: 'WHO', summary: 'private or tenant (default)' } };
export const DELETED_OPTION = { deleted: { summary: 'Also those that were deleted' } };

export const universeCommands: Command[] = [
  {
    name: 'universe list',
    summary: 'Sets of instruments',
    args: [],
    options: { ...LIMIT_OPTION, ...DELETED_OPTION },
    example: 'universe list',
    async run(call) {
      const query = { includeDeleted: String(call.flag('deleted')) };
      const answer = await allPages(limitOf(call), (page) =>
        call.client.call(listUniverses, { query: { ...query, ...page } }),
      );
      const text = table(
        answer.items,
        [
          { title: 'NUMBER', value: (row) => row.id },
          { title: 'NAME', value: (row) => row.name },
          { title: 'RULE', value: (row) => row.rule },
          { title: 'SOURCE', value: (row) => row.sourceName },
          { title: 'MEMBERS', value: (row) => row.memberCount },
          { title: 'SEEN BY', value: (row) => row.visibility },
          { title: 'DELETED', value: (row) => row.deletedAt },
        ],
        'There is no universe yet.',
      );
      return { json: answer, text };
    },
  },
  {
    name: 'universe show',
    summary: 'One universe and its members',
    args: ['UNIVERSE'],
    example: 'universe show "My universe"',
    async run(call) {
      const params = { universeId: await universeId(call, call.args[0] ?? '') };
      const universe = await call.client.call(getUniverse, { params });
      const members = table(
        universe.members,
        [
          { title: 'SYMBOL', value: (row) => row.symbol },
          { title: 'NAME', value: (row) => row.name },
          { title: 'FROM', value: (row) => row.firstDay },
          { title: 'TO', value: (row) => row.lastDay },
        ],
        'It has no members.',
      );
      return { json: universe, text: `${describe(universe)}\n${members}` };
    },
  },
  {
    name: 'universe create',
    summary: 'Make a universe: everything of a source, or named members',
    args: ['NAME'],
    options: {
      source: { value: 'CODE', summary: 'Whose prices are used' },
      members: { value: 'SYMBOLS', summary: 'Only these, with commas between; default everything of the source' },
      description: { value: 'TEXT', summary: 'What it is for' },
      ...VISIBILITY_OPTION,
    },
    example: 'universe create "My universe" --source my-prices',
    async run(call) {
      const [name = ''] = call.args;
      const source = call.text('source');
      if (source === undefined) throw new UsageError('Say whose prices are used with --source CODE.');
      const symbols = call.text('members')?.split(',') ?? [];
      const members = [];
      for (const symbol of symbols) members.push({ instrumentId: await instrumentId(call, symbol.trim()) });
      const rule = symbols.length > 0 ? ('list' as const) : ('all_of_source' as const);
      const universe = await call.client.call(createUniverse, {
        body: {
          ...{ name, rule, members, description: call.text('description') },
          sourceId: await sourceId(call, source),
          visibility: visibilityOf(call),
        },
      });
      return { json: universe, text: describe(universe) };
    },
  },
  {
    name: 'universe delete',
    summary: 'Delete a universe that no index uses; it can be brought back',
    args: ['UNIVERSE'],
    example: 'universe delete 3',
    async run(call) {
      const id = await universeId(call, call.args[0] ?? '');
      await call.client.call(deleteUniverse, { params: { universeId: id } });
      return { json: { deleted: id }, text: `Deleted. Bring it back with: touchstone universe undelete ${id}\n` };
    },
  },
  {
    name: 'universe undelete',
    summary: 'Bring a deleted universe back, by its number',
    args: ['NUMBER'],
    example: 'universe undelete 3',
    async run(call) {
      const params = { universeId: numberOf(call.args[0], 'NUMBER') };
      const universe = await call.client.call(undeleteUniverse, { params });
      return { json: universe, text: describe(universe) };
    },
  },
];

export function visibilityOf(call: Call): Universe['visibility'] | undefined {
  const text = call.text('visibility');
  if (text === undefined || text === 'private' || text === 'tenant') return text;
  throw new UsageError(`--visibility must be private or tenant, was "${text}".`);
}

function describe(universe: Universe): string {
  return facts([
    ['number', universe.id],
    ['name', universe.name],
    ['description', universe.description],
    ['rule', universe.rule],
    ['source', universe.sourceName],
    ['members', universe.memberCount],
    ['seen by', universe.visibility],
    ['deleted', universe.deletedAt],
  ]);
}
