import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommand, readerOf, timesOf, UsageError } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { helpText } from './help.ts';

const parse = (...words: string[]) => parseCommand(words, COMMANDS);
const usage = (sentence: RegExp) => (error: unknown) => error instanceof UsageError && sentence.test(error.message);

test('two words beat one: "run retract" is not "run"', () => {
  assert.equal(parse('run', 'retract', '12').command.name, 'run retract');
  assert.deepEqual(parse('run', '12').args, ['12']);
});

test('options may stand before, between and after the words', () => {
  const { args, values } = parse('bars', '--from', '2026-01-01', 'ALDR', '--json', '--to=2026-01-31');
  assert.deepEqual(args, ['ALDR']);
  assert.deepEqual({ ...values }, { from: '2026-01-01', json: true, to: '2026-01-31' });
});

test('what is missing, too much or unknown is named', () => {
  assert.throws(() => parse('bars'), usage(/bars needs SYMBOL/));
  assert.throws(() => parse('run', '1', '2'), usage(/run takes no "2"/));
  assert.throws(() => parse('bars', 'A', '--form', '2026-01-01'), usage(/--form/));
  assert.throws(() => parse('index', 'remove'), usage(/There are: index list, index show/));
  assert.throws(() => parse('schedule', 'list'), usage(/There are: .*\bschedules\b/));
  assert.throws(() => parse('dance'), usage(/There is no command "dance"/));
  assert.throws(() => parse('import', 'prices'), usage(/needs FILE…/));
});

test('many files are taken, and help needs no words', () => {
  assert.deepEqual(parse('import', 'prices', 'a.csv', 'b.csv').args, ['a.csv', 'b.csv']);
  assert.equal(parse('bars', '--help').values.help, true);
});

test('a number option refuses what is no number, and an undeclared option is our own mistake', () => {
  const reader = readerOf(parse('correct', 'ALDR', '2026-01-15', '--close', '1O'));
  assert.throws(() => reader.number('close'), usage(/--close must be a number, was "1O"/));
  assert.throws(() => reader.text('nonsense'), RangeError);
});

test('a day as an instant means its last moment', () => {
  const parsed = parse('bars', 'ALDR', '--known-at', '2026-01-15', '--recorded-at', '2026-01-15T10:00:00+01:00');
  assert.deepEqual(timesOf(readerOf(parsed)), {
    asOf: undefined,
    knownAt: '2026-01-15T23:59:59.999Z',
    recordedAt: '2026-01-15T09:00:00.000Z',
  });
});

test('no two commands share a name, and each has a summary and an example that begins with it', () => {
  assert.equal(new Set(COMMANDS.map((command) => command.name)).size, COMMANDS.length);
  for (const command of COMMANDS) {
    assert.ok(command.example.startsWith(command.name), command.name);
    assert.ok(!command.summary.endsWith('.'), command.name);
    parseCommand(splitWords(command.example), COMMANDS);
  }
});

test('the help lists every command, and tells everything about one', () => {
  const all = helpText([], COMMANDS);
  for (const command of COMMANDS) assert.ok(all.includes(command.summary), command.name);
  const one = helpText(['bars'], COMMANDS);
  assert.match(one, /--known-at INSTANT/);
  assert.match(one, /Example: touchstone bars ALDR/);
  assert.match(helpText(['index'], COMMANDS), /touchstone index export/);
});

function splitWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
}
