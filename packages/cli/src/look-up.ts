import { listInstruments, listSources } from '@touchstone/contracts/data';
import { listIndexes } from '@touchstone/contracts/indexes';
import { listPeople } from '@touchstone/contracts/people';
import { listUniverses } from '@touchstone/contracts/universes';
import type { Call } from './command.ts';
import { UsageError } from './command.ts';

/** Things are named by people; the API wants numbers. A word of digits is taken as the number itself. */

export async function instrumentId(call: Call, symbol: string): Promise<number> {
  const { items } = await call.client.call(listInstruments, { query: { search: symbol, limit: 500 } });
  const same = items.filter((item) => item.symbol.toUpperCase() === symbol.toUpperCase());
  // An own instrument comes before one of the simulated market that has the same name.
  const found = same.toSorted((a, b) => b.tenantId - a.tenantId)[0];
  if (found !== undefined) return found.id;
  const near = items.slice(0, 5).map((item) => item.symbol);
  throw new UsageError(`There is no instrument ${symbol}.${near.length > 0 ? ` Near it: ${near.join(', ')}.` : ''}`);
}

export async function sourceId(call: Call, code: string): Promise<number> {
  if (isNumber(code)) return Number(code);
  const { items } = await call.client.call(listSources);
  const found = items.find((item) => item.code === code);
  if (found !== undefined) return found.id;
  throw new UsageError(
    `There is no source ${code}. There are: ${items.map((item) => item.code).join(', ') || 'none'}.`,
  );
}

/** A person by number, by address or by name. */
export async function personId(call: Call, text: string): Promise<number> {
  if (isNumber(text)) return Number(text);
  const { items } = await allPages(PEOPLE_MAX, (page) => call.client.call(listPeople, { query: page }));
  const wanted = text.toLowerCase();
  const same = items.filter((item) => item.email === wanted || item.displayName?.toLowerCase() === wanted);
  if (same.length === 1) return same[0]!.userId;
  if (same.length > 1) {
    throw new UsageError(`"${text}" names ${same.map((item) => item.userId).join(' and ')}: use the number.`);
  }
  throw new UsageError(`There is nobody called "${text}" here.`);
}

export async function universeId(call: Call, text: string): Promise<number> {
  if (isNumber(text)) return Number(text);
  const items = await allPages(500, (page) => call.client.call(listUniverses, { query: page }));
  return only(items.items, text, 'universe');
}

export async function indexId(call: Call, text: string, includeDeleted = false): Promise<number> {
  if (isNumber(text)) return Number(text);
  const query = { includeDeleted: String(includeDeleted) };
  const items = await allPages(500, (page) => call.client.call(listIndexes, { query: { ...page, ...query } }));
  return only(items.items, text, 'index');
}

function only(items: readonly { id: number; name: string }[], text: string, kind: string): number {
  const found = items.filter((item) => item.name.toLowerCase() === text.toLowerCase());
  if (found.length === 1) return found[0]!.id;
  if (found.length > 1) {
    throw new UsageError(`"${text}" names ${found.map((item) => item.id).join(' and ')}: use the number.`);
  }
  throw new UsageError(`There is no ${kind} "${text}".`);
}

/** A number from the words of a command. @throws UsageError if it is none. */
export function numberOf(text: string | undefined, what: string): number {
  if (text !== undefined && isNumber(text)) return Number(text);
  throw new UsageError(`${what} must be a number, was "${text ?? ''}".`);
}

function isNumber(text: string): boolean {
  return /^\d{1,10}$/.test(text);
}

const PEOPLE_MAX = 10_000;
const PAGE_LIMIT_MAX = 500;
const PAGES_MAX = 2000;

/** Reads pages until there are as many rows as wanted, or no more. The rest of the answer is the last page's. */
export async function allPages<P extends { items: unknown[]; nextCursor: string | null }>(
  limit: number,
  read: (page: { cursor?: string; limit: number }) => Promise<P>,
): Promise<P> {
  const items: unknown[] = [];
  let cursor: string | undefined;
  for (let count = 0; count < PAGES_MAX; count++) {
    const wanted = Math.min(PAGE_LIMIT_MAX, Math.max(1, limit - items.length));
    const page = await read({ ...(cursor === undefined ? {} : { cursor }), limit: wanted });
    items.push(...page.items);
    if (page.nextCursor === null || items.length >= limit) return { ...page, items };
    cursor = page.nextCursor;
  }
  throw new Error(`an answer may have ${PAGES_MAX} pages at most`);
}

/** How many rows the person wants. */
export function limitOf(call: Call): number {
  const limit = call.number('limit') ?? 50;
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError(`--limit must be a whole number above 0.`);
  return limit;
}
