import { homedir } from 'node:os';
import path from 'node:path';
import { ApiProblem, createClient } from '@touchstone/contracts/client';
import { type Command, parseCommand, readerOf, UsageError } from './command.ts';
import { createConnection, NoServer, signInHint } from './connection.ts';
import { helpText } from './help.ts';
import { OperateFailed } from './operate-program.ts';
import { openSessionFile } from './session-file.ts';
import { Interrupted, type Terminal } from './terminal.ts';
import { TaskEnded } from './watch-task.ts';

const EXIT = { problem: 1, usage: 2, interrupted: 130 } as const;
const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Runs one command line and tells how it went: the exit code. Never throws. */
export async function run(words: readonly string[], terminal: Terminal, commands: readonly Command[]): Promise<number> {
  try {
    const [first] = words;
    if (first === undefined || first === 'help' || first === '--help') {
      terminal.out(helpText(words.slice(1), commands));
      return 0;
    }
    const parsed = parseCommand(words, commands);
    if (parsed.values.help === true) {
      terminal.out(helpText(parsed.command.name.split(' '), commands));
      return 0;
    }
    const read = readerOf(parsed);
    const connection = connect(read.text('url'), terminal);
    const client = createClient(connection.send);
    const { args } = parsed;
    const output = await parsed.command.run({ ...read, args, terminal, connection, client });
    terminal.out(read.flag('json') ? `${JSON.stringify(output.json, null, 2)}\n` : output.text);
    return output.exitCode ?? 0;
  } catch (error) {
    return complain(error, helpFor(words, commands), terminal);
  }
}

function connect(url: string | undefined, terminal: Terminal) {
  const { TOUCHSTONE_URL, TOUCHSTONE_HOME, TOUCHSTONE_API_KEY } = terminal.environment;
  const home = TOUCHSTONE_HOME || path.join(homedir(), '.touchstone');
  const address = url ?? (TOUCHSTONE_URL || DEFAULT_URL);
  if (!/^https?:\/\//.test(address))
    throw new UsageError(`The server's address begins with http://, was "${address}".`);
  return createConnection(
    address,
    openSessionFile(path.join(home, 'cli-session.json')),
    TOUCHSTONE_API_KEY || undefined,
  );
}

/** The help that fits what was written: of the command, of its family, or all. */
function helpFor(words: readonly string[], commands: readonly Command[]): string {
  const isKnown = (name: string) => commands.some((command) => `${command.name} `.startsWith(`${name} `));
  const name = [words.slice(0, 2).join(' '), words[0] ?? ''].find((each) => each !== '' && isKnown(each));
  return name === undefined ? 'help' : `help ${name}`;
}

/** Says on standard error what went wrong, and what to quote when asking for help. */
function complain(error: unknown, help: string, terminal: Terminal): number {
  if (error instanceof ApiProblem) {
    const { detail, code, requestId, details } = error.problem;
    terminal.err(`${detail}\n`);
    for (const { path: where, rule } of details) terminal.err(`  ${where}: ${rule}\n`);
    terminal.err(`code ${code}${requestId === '' ? '' : `, request ${requestId}`}\n`);
    if (code === 'NOT_SIGNED_IN' || code === 'SESSION_ENDED') terminal.err(`${signInHint(terminal.environment)}\n`);
    return EXIT.problem;
  }
  if (error instanceof TaskEnded) {
    terminal.err(`${error.message}\n`);
    for (const { path: where, rule } of error.task.problem?.details ?? []) terminal.err(`  ${where}: ${rule}\n`);
    terminal.err(`code ${error.task.problem?.code ?? error.task.state.toUpperCase()}, task ${error.task.id}\n`);
    return EXIT.problem;
  }
  if (error instanceof UsageError) {
    terminal.err(`${error.message}
See: touchstone ${help}
`);
    return EXIT.usage;
  }
  if (error instanceof Interrupted) {
    terminal.err(`${error.message}\n`);
    return EXIT.interrupted;
  }
  const isExpected = error instanceof NoServer || error instanceof OperateFailed;
  const text = error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  terminal.err(`${text}\n`);
  return EXIT.problem;
}
