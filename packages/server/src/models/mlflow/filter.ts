import { ProblemError } from '../../platform/problem-error.ts';

/** What a comparison is about. `attribute`: a field of the thing itself. */
export type Entity = 'metric' | 'parameter' | 'tag' | 'attribute';
export type Field = { entity: Entity; key: string };

const OPERATORS = ['=', '!=', '>', '>=', '<', '<=', 'LIKE', 'ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'] as const;
export type Operator = (typeof OPERATORS)[number];
export type Comparison = Field & { operator: Operator; value: string | number | string[] | null };
export type Order = Field & { descending: boolean };

/** The names MLflow knows each by. */
const ENTITIES: Record<string, Entity> = {
  ...{ metric: 'metric', metrics: 'metric' },
  ...{ param: 'parameter', params: 'parameter', parameter: 'parameter', parameters: 'parameter' },
  ...{ tag: 'tag', tags: 'tag' },
  ...{ attribute: 'attribute', attributes: 'attribute', attr: 'attribute', run: 'attribute' },
};

const SPACE = /\s*/y;
const WORD = /[A-Za-z_]\w*/y;
const KEY = /[\w./-]+/y;
const QUOTED = /`([^`]*)`|"([^"]*)"|'([^']*)'/y;
const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const OPERATOR = /<=|>=|!=|=|<|>|(?:NOT\s+IN|IN|ILIKE|LIKE|IS\s+NOT\s+NULL|IS\s+NULL)\b/iy;
const AND = /AND\b/iy;
const END = /$/y;
const COMPARISONS_MAX = 50;

/**
 * Reads a filter of MLflow's search: comparisons joined by AND, `metrics.loss < 0.5 and tags.team LIKE 'a%'`.
 *
 * @throws INVALID_REQUEST naming the place where it cannot be read.
 */
export function parseFilter(text: string): Comparison[] {
  const reader = new Reader(text);
  const comparisons: Comparison[] = [];
  if (reader.take(END) !== null) return comparisons;
  do {
    if (comparisons.length === COMPARISONS_MAX)
      throw new ProblemError('INVALID_REQUEST', `A filter has at most ${COMPARISONS_MAX} comparisons.`);
    const field = readField(reader);
    const operator = toOperator(reader.must(OPERATOR, 'a comparison like = or LIKE')[0]);
    comparisons.push({ ...field, operator, value: readValue(reader, operator) });
  } while (reader.take(AND) !== null);
  reader.must(END, 'AND or the end');
  return comparisons;
}

/** Reads one clause of an order, `metrics.loss DESC`. @throws INVALID_REQUEST */
export function parseOrder(text: string): Order {
  const reader = new Reader(text);
  const field = readField(reader);
  const direction = reader.take(/(?:ASC|DESC)\b/iy)?.[0].toUpperCase();
  reader.must(END, 'ASC, DESC or the end');
  return { ...field, descending: direction === 'DESC' };
}

function readField(reader: Reader): Field {
  const start = reader.take(QUOTED) ?? reader.must(WORD, 'a name like metrics.loss');
  const first = quotedOf(start) ?? start[0];
  if (reader.takeHere(/\./y) === null) return { entity: 'attribute', key: first };
  const entity = ENTITIES[first.toLowerCase()];
  if (entity === undefined)
    throw new ProblemError(
      'INVALID_REQUEST',
      `"${first}" is nothing to search by: metrics, params, tags or attributes.`,
    );
  const name = reader.takeHere(QUOTED) ?? reader.must(KEY, 'a name');
  return { entity, key: quotedOf(name) ?? name[0] };
}

function readValue(reader: Reader, operator: Operator): Comparison['value'] {
  if (operator === 'IS NULL' || operator === 'IS NOT NULL') return null;
  if (operator === 'IN' || operator === 'NOT IN') {
    const values: string[] = [];
    reader.must(/\(/y, 'a list in parentheses');
    do values.push(quotedOf(reader.must(QUOTED, 'a text in quotes')) ?? '');
    while (reader.take(/,/y) !== null);
    reader.must(/\)/y, 'a closing parenthesis');
    return values;
  }
  const number = reader.take(NUMBER);
  if (number !== null) return Number(number[0]);
  return quotedOf(reader.must(QUOTED, 'a number, or a text in quotes')) ?? '';
}

function toOperator(text: string): Operator {
  const plain = text.toUpperCase().replace(/\s+/g, ' ');
  return OPERATORS.find((operator) => operator === plain) ?? '=';
}

function quotedOf(match: RegExpExecArray): string | undefined {
  return match[1] ?? match[2] ?? match[3];
}

/** Walks through a text by patterns that begin where the last one ended. */
class Reader {
  readonly #text: string;
  #at = 0;
  constructor(text: string) {
    this.#text = text;
  }

  takeHere(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  /** After spaces. */
  take(pattern: RegExp): RegExpExecArray | null {
    this.takeHere(SPACE);
    return this.takeHere(pattern);
  }

  must(pattern: RegExp, what: string): RegExpExecArray {
    const match = this.take(pattern);
    if (match !== null) return match;
    const rest = this.#text.slice(this.#at, this.#at + 40);
    throw new ProblemError(
      'INVALID_REQUEST',
      `Expected ${what} ${rest === '' ? 'before the end' : `at "${rest}"`} of the filter.`,
    );
  }
}
