import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Client } from '@touchstone/contracts/client';
import type { Connection } from './connection.ts';
import type { Terminal } from './terminal.ts';

/** An option of a command. A `flag` takes no value. */
export type Option = {
  /** What the value is called in the help; none for a flag. */
  value?: string;
  summary: string;
};

/** What a command gives back: the contract's JSON, the same for people, and how it went. */
export type Output = {
  json: unknown;
  text: string;
  /** 0 unless the command found something that is not as it should be. */
  exitCode?: number;
};

export type Command = {
  /** One or two words: `index create`. */
  name: string;
  summary: string;
  /** As shown in the help; `NAME`, `[NAME]` for one that may be left out, `NAME…` for several. */
  args: readonly string[];
  options?: Readonly<Record<string, Option>>;
  /** Without the leading `touchstone`. */
  example: string;
  run(call: Call): Promise<Output>;
};

/** One call of a command. */
export type Call = {
  args: readonly string[];
  /** The text of an option, or undefined. Names the command does not have are a mistake in the command. */
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** @throws UsageError if it is there and no number. */
  number(name: string): number | undefined;
  client: Client;
  connection: Connection;
  terminal: Terminal;
};

/** The person wrote the command wrongly. Exit code 2. */
export class UsageError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'UsageError';
  }
}

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = {
  json: { summary: 'Print JSON as the API gives it' },
  url: { value: 'URL', summary: 'Server to speak to; default TOUCHSTONE_URL or http://127.0.0.1:8080' },
  help: { summary: 'Show the help of the command' },
};

/** The three times a read can be asked with. */
export const TIME_OPTIONS: Readonly<Record<string, Option>> = {
  'as-of': { value: 'DAY', summary: 'Last day the answer is about' },
  'known-at': { value: 'INSTANT', summary: 'Use only what could be known at this instant' },
  'recorded-at': { value: 'INSTANT', summary: 'Use only what was recorded here at this instant' },
};

export const LIMIT_OPTION: Readonly<Record<string, Option>> = {
  limit: { value: 'COUNT', summary: 'Rows at most; default 50' },
};

/** The query of the three times, from the options of a call. A day as an instant means its last moment in UTC. */
export function timesOf(call: Pick<Call, 'text'>): { asOf?: string; knownAt?: string; recordedAt?: string } {
  const instant = (name: string) => {
    const text = call.text(name);
    if (text === undefined) return undefined;
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return `${text}T23:59:59.999Z`;
    const time = Date.parse(text);
    if (Number.isNaN(time)) {
      throw new UsageError(`--${name} must be a day or an instant like 2026-01-15T22:00:00Z, was ${text}`);
    }
    return new Date(time).toISOString();
  };
  return { asOf: call.text('as-of'), knownAt: instant('known-at'), recordedAt: instant('recorded-at') };
}

export type Parsed = {
  command: Command;
  args: string[];
  values: Readonly<Record<string, string | boolean | undefined>>;
};

/**
 * Finds the command at the front of the words and parses what follows.
 *
 * @throws UsageError naming what is wrong.
 */
export function parseCommand(words: readonly string[], commands: readonly Command[]): Parsed {
  const command = findCommand(words, commands);
  const rest = words.slice(command.name.split(' ').length);
  const options = { ...COMMON_OPTIONS, ...command.options };
  const config: ParseArgsOptionsConfig = {};
  for (const [name, option] of Object.entries(options)) {
    config[name] = { type: option.value === undefined ? 'boolean' : 'string' };
  }
  const { values, positionals } = parse(rest, config);
  if (values.help !== true) checkCount(command, positionals);
  return { command, args: positionals, values };
}

function parse(args: string[], options: ParseArgsOptionsConfig) {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    const single: Record<string, string | boolean | undefined> = {};
    for (const [name, value] of Object.entries(values)) if (!Array.isArray(value)) single[name] = value;
    return { values: single, positionals };
  } catch (error) {
    const sentence = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new UsageError(sentence.replace(/\. To specify a positional.*$/, '.'));
  }
}

/** Two words beat one: `run retract` is not `run`. */
function findCommand(words: readonly string[], commands: readonly Command[]): Command {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const found = commands.find((command) => command.name === name);
    if (found !== undefined) return found;
  }
  const [first = ''] = words;
  // `schedule list` is called `schedules`.
  const kin = [first, `${first}s`, first.replace(/s$/, '')];
  const family = commands.map(({ name }) => name).filter((name) => kin.includes(name.split(' ')[0] ?? ''));
  throw new UsageError(
    family.length > 0
      ? `There is no command "${words.slice(0, 2).join(' ')}". There are: ${family.join(', ')}.`
      : `There is no command "${first}".`,
  );
}

function checkCount(command: Command, args: readonly string[]): void {
  const needed = command.args.filter((arg) => !arg.startsWith('['));
  const isOpen = command.args.some((arg) => arg.includes('…'));
  const missing = needed[args.length];
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing}.`);
  const extra = args[command.args.length];
  if (extra !== undefined && !isOpen) throw new UsageError(`${command.name} takes no "${extra}".`);
}

/** Reads options by name; a name the command does not have is a bug of ours. */
export function readerOf({ command, values }: Parsed): Pick<Call, 'text' | 'flag' | 'number'> {
  const options = { ...COMMON_OPTIONS, ...command.options };
  const given = (name: string) => {
    if (!(name in options)) throw new RangeError(`${command.name} must declare --${name} to read it`);
    return values[name];
  };
  const text = (name: string) => {
    const value = given(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    flag: (name) => given(name) === true,
    number(name) {
      const written = text(name);
      if (written === undefined) return undefined;
      const value = Number(written);
      if (written.trim() === '' || !Number.isFinite(value)) {
        throw new UsageError(`--${name} must be a number, was "${written}".`);
      }
      return value;
    },
  };
}
