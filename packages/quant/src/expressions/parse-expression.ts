/** A part of an expression as it was written, from letter `start` to `end`. */
export type Node = { start: number; end: number } & (
  | { kind: 'number'; value: number }
  | { kind: 'name'; name: string }
  | { kind: 'call'; name: string; args: Node[]; output: string | null }
  | { kind: 'unary'; operator: '-' | 'not'; argument: Node }
  | { kind: 'binary'; operator: BinaryOperator; left: Node; right: Node }
);

export type BinaryOperator = keyof typeof BINDING;

/** What is wrong, where. */
export type ParseFault = { start: number; end: number; sentence: string };
export type ParseAnswer = { ok: true; node: Node } | { ok: false; fault: ParseFault };

const BINDING = {
  or: 1,
  and: 2,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '==': 3,
  '!=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '^': 7,
} as const;
const UNARY_BINDING = 6;
/** Deeper nesting than this is nobody's formula. */
const DEPTH_MAX = 50;

type Token = { kind: 'number' | 'name' | 'sign' | 'end'; text: string; start: number; end: number };

class Fault extends Error {
  readonly fault: ParseFault;
  constructor(fault: ParseFault) {
    super(fault.sentence);
    this.fault = fault;
  }
}

/** Reads an expression: numbers, names, calls, arithmetic, comparison, and, or, not. Never throws. */
export function parseExpression(text: string): ParseAnswer {
  try {
    const tokens = cut(text);
    let at = 0;
    const peek = () => tokens[at]!;
    const next = () => tokens[at++]!;
    const refuse = (token: Token, wanted: string): never => {
      const found = token.kind === 'end' ? 'the expression ends' : `there is "${token.text}"`;
      throw new Fault({ ...placeOf(token), sentence: `Expected ${wanted}, but ${found}.` });
    };
    const take = (sign: string) => (peek().text === sign ? next() : refuse(peek(), `"${sign}"`));

    function read(binding: number, depth: number): Node {
      if (depth > DEPTH_MAX) throw new Fault({ ...placeOf(peek()), sentence: `Nested deeper than ${DEPTH_MAX}.` });
      let left = readOne(depth);
      for (;;) {
        const operator = toOperator(peek());
        if (operator === null || BINDING[operator] <= binding) return left;
        next();
        // A power binds to its right: 2 ^ 3 ^ 2 is 2 ^ 9.
        const right = read(operator === '^' ? BINDING[operator] - 1 : BINDING[operator], depth + 1);
        left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
      }
    }

    function readOne(depth: number): Node {
      const token = next();
      if (token.kind === 'number') return { kind: 'number', value: Number(token.text), ...placeOf(token) };
      if (token.text === '-' || token.text === 'not') {
        const argument = read(token.text === 'not' ? BINDING.and : UNARY_BINDING, depth + 1);
        return { kind: 'unary', operator: token.text, argument, start: token.start, end: argument.end };
      }
      if (token.text === '(') {
        const inner = read(0, depth + 1);
        const { end } = take(')');
        return { ...inner, start: token.start, end };
      }
      if (token.kind !== 'name') return refuse(token, 'a column, an indicator, a function or a number');
      if (peek().text !== '(') return { kind: 'name', name: token.text, ...placeOf(token) };
      next();
      const args: Node[] = [];
      if (peek().text !== ')') {
        args.push(read(0, depth + 1));
        while (peek().text === ',') {
          next();
          args.push(read(0, depth + 1));
        }
      }
      let { end } = take(')');
      let output: string | null = null;
      if (peek().text === '.') {
        next();
        const chosen = next();
        if (chosen.kind !== 'name') refuse(chosen, 'the name of an output');
        output = chosen.text;
        end = chosen.end;
      }
      return { kind: 'call', name: token.text, args, output, start: token.start, end };
    }

    const node = read(0, 0);
    if (peek().kind !== 'end') refuse(peek(), 'an operator or the end');
    return { ok: true, node };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.fault };
    throw error;
  }
}

function toOperator(token: Token): BinaryOperator | null {
  const isOperator = (text: string): text is BinaryOperator => Object.hasOwn(BINDING, text);
  return isOperator(token.text) ? token.text : null;
}

function placeOf({ start, end }: Token): { start: number; end: number } {
  return { start, end };
}

const PIECE = /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|==|!=|[-+*/^(),.<>]))/y;

function cut(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < end) {
    const from = PIECE.lastIndex;
    const match = PIECE.exec(text);
    if (match === null) {
      const start = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
      throw new Fault({ start, end: start + 1, sentence: `"${text[start]}" means nothing here.` });
    }
    const [, number, name, sign] = match;
    const piece = number ?? name ?? sign ?? '';
    const kind = number === undefined ? (name === undefined ? 'sign' : 'name') : 'number';
    tokens.push({ kind, text: piece, start: PIECE.lastIndex - piece.length, end: PIECE.lastIndex });
  }
  tokens.push({ kind: 'end', text: '', start: end, end });
  return tokens;
}
