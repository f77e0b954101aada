import { type Finding, getDoctor } from '@touchstone/contracts/keeping';
import type { z } from 'zod';
import type { Command, Output } from '../command.ts';
import { runOperate } from '../operate-program.ts';

const report = getDoctor.answer!;
const MARKS: Record<Finding['state'], string> = { fine: 'ok', warning: 'WARNING', broken: 'BROKEN', skipped: '–' };

export const doctorCommands: Command[] = [
  {
    name: 'doctor',
    summary: 'Find what is wrong with the installation and what to do; exit code 1 if something is broken',
    args: [],
    options: {
      full: { summary: 'Read every stored file again, not a few' },
      server: { summary: 'Ask the running server instead of looking on this machine' },
    },
    example: 'doctor --full',
    async run(call) {
      if (call.flag('server')) return told(await call.client.call(getDoctor));
      const words = call.flag('full') ? ['doctor', '--full'] : ['doctor'];
      return told(report.parse(await runOperate(call.terminal, words)));
    },
  },
];

function told(found: z.output<typeof report>): Output {
  const lines = found.findings.map(({ check, state, what, why, command }) =>
    [
      `${MARKS[state].padEnd(8)} ${check.padEnd(16)} ${what}`,
      ...(why === '' ? [] : [`${' '.repeat(26)}Why: ${why}`]),
      ...(command === null ? [] : [`${' '.repeat(26)}Do:  ${command}`]),
    ].join('\n'),
  );
  const count = (state: Finding['state']) => found.findings.filter((finding) => finding.state === state).length;
  const sum = `${count('broken')} broken, ${count('warning')} warnings, ${count('fine')} fine, ${count('skipped')} skipped\n`;
  return { json: found, text: `${lines.join('\n')}\n\n${sum}`, exitCode: found.ok ? 0 : 1 };
}
