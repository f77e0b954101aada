import { z } from 'zod';
import {
  audit,
  count,
  day,
  id,
  idParam,
  longText,
  name,
  page,
  pageQuery,
  symbol,
  version,
  visibility,
} from './fields.ts';
import { defineRoute } from './route.ts';

export const universeMember = z.object({
  instrumentId: id,
  symbol,
  name: z.string().meta({ example: 'Alder Instruments' }),
  firstDay: day.nullable().meta({ description: 'Member from this day on; null: always.' }),
  lastDay: day.nullable().meta({ description: 'Member to this day; null: still.' }),
});

export const universe = audit.extend({
  id,
  tenantId: id,
  name,
  description: longText,
  rule: z
    .enum(['all_of_source', 'list'])
    .meta({ description: 'Everything the source has, or the named members.', example: 'all_of_source' }),
  sourceId: id.meta({ description: 'Whose prices are used.' }),
  sourceName: name,
  visibility,
  memberCount: count,
});
export type Universe = z.infer<typeof universe>;

const members = z
  .array(z.object({ instrumentId: id, firstDay: day.nullable().default(null), lastDay: day.nullable().default(null) }))
  .max(5000)
  .meta({ description: 'Only with rule `list`.', example: [{ instrumentId: 1 }] });
const universeBody = z.object({
  name,
  description: longText.default(''),
  rule: universe.shape.rule,
  sourceId: id,
  visibility: visibility.default('tenant'),
  members: members.default([]),
});
const universeParams = z.object({ universeId: idParam });

export const listUniverses = defineRoute({
  id: 'listUniverses',
  method: 'GET',
  path: '/universes',
  group: 'universe',
  summary: 'Sets of instruments',
  scope: 'portfolio:read',
  cache: ['universe', 'source', 'instrument', 'run'],
  query: pageQuery.extend({
    includeDeleted: z.stringbool().default(false).meta({ description: 'For auditors and owners.', example: 'false' }),
  }),
  status: 200,
  answer: page(universe),
  problems: [],
});
export const getUniverse = defineRoute({
  id: 'getUniverse',
  method: 'GET',
  path: '/universes/:universeId',
  group: 'universe',
  summary: 'One universe and its members',
  scope: 'portfolio:read',
  cache: ['universe', 'source', 'instrument', 'run'],
  params: universeParams,
  status: 200,
  answer: universe.extend({ members: z.array(universeMember) }),
  problems: ['NOT_FOUND'],
});
export const createUniverse = defineRoute({
  id: 'createUniverse',
  method: 'POST',
  path: '/universes',
  group: 'universe',
  summary: 'Make a universe',
  scope: 'portfolio:write',
  body: universeBody,
  status: 201,
  answer: universe,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS'],
});
export const updateUniverse = defineRoute({
  id: 'updateUniverse',
  method: 'PATCH',
  path: '/universes/:universeId',
  group: 'universe',
  summary: 'Change a universe; `members` replaces them all',
  scope: 'portfolio:write',
  params: universeParams,
  body: z.object({
    name: name.optional(),
    description: longText.optional(),
    visibility: visibility.optional(),
    members: members.optional(),
    version,
  }),
  status: 200,
  answer: universe,
  problems: ['NOT_FOUND', 'CONFLICT', 'ALREADY_EXISTS'],
});
export const deleteUniverse = defineRoute({
  id: 'deleteUniverse',
  method: 'DELETE',
  path: '/universes/:universeId',
  group: 'universe',
  summary: 'Delete a universe that no index uses; it can be brought back',
  scope: 'portfolio:write',
  params: universeParams,
  status: 204,
  problems: ['NOT_FOUND', 'NOT_POSSIBLE_NOW'],
});
export const undeleteUniverse = defineRoute({
  id: 'undeleteUniverse',
  method: 'POST',
  path: '/universes/:universeId/undelete',
  group: 'universe',
  summary: 'Bring a deleted universe back',
  scope: 'portfolio:write',
  params: universeParams,
  status: 200,
  answer: universe,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS'],
});
