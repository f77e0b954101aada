import { getSimulatedTruth, type SimulatedTruth } from '@touchstone/contracts/data';
import type { Command } from '../command.ts';
import { facts, percent, table } from '../render.ts';

export const truthCommands: Command[] = [
  {
    name: 'truth',
    summary: 'What was planted in the simulated market, and what the quality court found of it',
    args: [],
    options: {
      faults: { summary: 'Also list every planted fault' },
      regimes: { summary: 'Also list the regimes of the market' },
    },
    example: 'truth --faults --regimes',
    async run(call) {
      const truth = await call.client.call(getSimulatedTruth);
      const parts = [describe(truth), kindTable(truth)];
      if (call.flag('faults')) parts.push(faultTable(truth));
      if (call.flag('regimes')) parts.push(regimeTable(truth));
      return { json: truth, text: parts.join('\n') };
    },
  },
];

function describe(truth: SimulatedTruth): string {
  return facts([
    // A seed is a name, not a quantity: no thousands in it.
    ['seed', String(truth.seed)],
    ['settings', truth.settings],
    ['days', `${truth.firstDay} to ${truth.lastDay}`],
    ['regimes', truth.regimes.length],
    ['jumps', truth.jumps.length],
    ['splits', truth.splits.length],
    ['delistings', truth.delistings.length],
    ['record', truth.truthSha256],
  ]);
}

function kindTable({ byKind }: SimulatedTruth): string {
  return table(
    byKind,
    [
      { title: 'FAULT', value: (row) => row.kind },
      { title: 'PLANTED', value: (row) => row.planted },
      { title: 'FOUND', value: (row) => row.found },
      { title: 'FOUND AS', value: (row) => row.findings.join(', ') },
      { title: 'NOTE', value: (row) => row.note, whole: true },
    ],
    'No fault was planted.',
  );
}

function faultTable({ faults }: SimulatedTruth): string {
  return table(
    faults,
    [
      { title: 'FAULT', value: (row) => row.kind },
      { title: 'SYMBOL', value: (row) => row.symbol },
      { title: 'FIRST', value: (row) => row.firstDay },
      { title: 'LAST', value: (row) => row.lastDay },
      { title: 'COLUMNS', value: (row) => row.columns.join(', ') },
      { title: 'ERROR', value: (row) => percent(row.relativeError), right: true },
      { title: 'PUT RIGHT', value: (row) => row.correctedKnownAt },
      { title: 'FOUND', value: (row) => row.found },
    ],
    'No fault was planted.',
  );
}

function regimeTable({ regimes }: SimulatedTruth): string {
  return table(
    regimes,
    [
      { title: 'REGIME', value: (row) => row.regime },
      { title: 'FIRST', value: (row) => row.firstDay },
      { title: 'LAST', value: (row) => row.lastDay },
    ],
    'The market has no regimes.',
  );
}
