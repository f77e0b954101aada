import { COMMON_OPTIONS, type Command, type Option, UsageError } from './command.ts';

/** The list of all commands, or everything about those that begin with the given words. */
export function helpText(words: readonly string[], commands: readonly Command[]): string {
  if (words.length === 0) return overview(commands);
  const name = words.join(' ');
  const found = commands.filter((command) => command.name === name || command.name.startsWith(`${name} `));
  if (found.length === 0) throw new UsageError(`There is no command "${name}".`);
  return found.map(describe).join('\n');
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => usage(command).length));
  const lines = commands.map((command) => `  ${usage(command).padEnd(width)}  ${command.summary}`);
  return [
    'touchstone COMMAND … : speaks to a Touchstone server.',
    '',
    ...lines,
    `  ${'help [COMMAND]'.padEnd(width)}  This list, or everything about one command`,
    '',
    'For every command:',
    ...optionLines(COMMON_OPTIONS),
    '',
    'Exit code 0: done. 1: it could not be done, or verify found a difference. 2: wrongly written. 130: interrupted.',
    '',
  ].join('\n');
}

function describe(command: Command): string {
  const options = Object.entries(command.options ?? {});
  return [
    `touchstone ${usage(command)}${options.length > 0 ? ' [OPTIONS]' : ''}`,
    `  ${command.summary}.`,
    ...(options.length > 0 ? ['', ...optionLines(command.options ?? {})] : []),
    '',
    `  Example: touchstone ${command.example}`,
    '',
  ].join('\n');
}

function usage(command: Command): string {
  return [command.name, ...command.args].join(' ');
}

function optionLines(options: Readonly<Record<string, Option>>): string[] {
  const shown = Object.entries(options).map(([name, { value, summary }]) => ({
    left: `--${name}${value === undefined ? '' : ` ${value}`}`,
    summary,
  }));
  const width = Math.max(...shown.map(({ left }) => left.length));
  return shown.map(({ left, summary }) => `  ${left.padEnd(width)}  ${summary}`);
}
