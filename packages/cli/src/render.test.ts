import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgress } from './progress.ts';
import { bytes, facts, percent, show, table } from './render.ts';
import type { Terminal } from './terminal.ts';

test('numbers stand right, texts left, a missing value is a dash', () => {
  const rows = [
    { name: 'ALDR', count: 1200, note: null },
    { name: 'B', count: 3, note: 'half  a\nline' },
  ];
  const text = table(
    rows,
    [
      { title: 'NAME', value: (row) => row.name },
      { title: 'COUNT', value: (row) => row.count },
      { title: 'NOTE', value: (row) => row.note },
    ],
    'None.',
  );
  assert.equal(text, ['NAME  COUNT  NOTE', 'ALDR  1,200  –', 'B         3  half a line', ''].join('\n'));
});

test('a table without rows is a sentence', () => {
  assert.equal(table([], [{ title: 'A', value: () => 1 }], 'There is nothing.'), 'There is nothing.\n');
});

test('a long cell is cut, letters beyond ASCII count once', () => {
  const text = table([{ a: 'é'.repeat(100) }], [{ title: 'A', value: (row) => row.a }], '');
  assert.equal(text, `A\n${'é'.repeat(71)}…\n`);
});

test('values are shown as people read them', () => {
  assert.equal(show('2026-01-15T22:00:00.000Z'), '2026-01-15 22:00');
  assert.equal(show('2026-01-15'), '2026-01-15');
  assert.equal(show(0), '0');
  assert.equal(show(0.1 + 0.2), '0.3');
  assert.equal(show(false), 'no');
  assert.equal(percent(0.0125), '1.25 %');
  assert.equal(percent(null), '–');
  assert.equal(bytes(1_234_567), '1.2 MB');
  assert.equal(bytes(12), '12 B');
  assert.equal(
    facts([
      ['a', 1],
      ['long', null],
    ]),
    'a     1\nlong  –\n',
  );
});

test('progress is a bar for a person and a line now and then for a log', () => {
  let time = 0;
  let said = '';
  const at = (isInteractive: boolean): Terminal => ({
    out: () => {},
    err: (text) => {
      said += text;
    },
    isInteractive,
    environment: {},
    ask: async () => '',
    readInput: async () => '',
    onInterrupt: () => () => {},
  });
  const log = createProgress(at(false), 'Import', () => time);
  log.show(0.1, 'early');
  time = 5_000;
  log.show(0.5, 'half');
  time = 5_001;
  log.show(0.6, 'too soon');
  log.done();
  assert.equal(said, 'Import: 50 % half\n');

  said = '';
  const bar = createProgress(at(true), 'Import', () => time);
  bar.show(0.5, 'half');
  bar.done();
  assert.ok(said.includes('[████████████············]  50 %  Import  half'), said);
  assert.ok(said.endsWith('\r\u001b[K'), 'the bar is cleared');
});
