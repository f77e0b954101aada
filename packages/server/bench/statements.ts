import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { BenchResult } from './bench-server.ts';

type Counts = {
  counts: { id: string; few: number; many: number }[];
  left: { id: string; reason: string }[];
};

const PROGRAM = path.join(import.meta.dirname, '../test/statement-counts.ts');
const [FEW, MANY] = [5, 50];
const WIDTH = 28;

/**
 * SQL statements of every GET route with 5 and with 50 instruments; the table is told on standard error. The figure is the
 * number of routes whose statements grow with the instruments.
 *
 * @public
 */
export async function run(): Promise<BenchResult[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM]);
  const { counts, left }: Counts = JSON.parse(stdout);
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  tell(
    `${'ROUTE'.padEnd(WIDTH)}${String(FEW).padStart(6)}${String(MANY).padStart(6)}   statements with so many instruments`,
  );
  for (const { id, few, many } of counts) {
    tell(`${id.padEnd(WIDTH)}${String(few).padStart(6)}${String(many).padStart(6)}${few === many ? '' : '   grows'}`);
  }
  for (const { id, reason } of left) tell(`${id.padEnd(WIDTH)}${'–'.padStart(6)}${'–'.padStart(6)}   ${reason}`);
  const growing = counts.filter(({ few, many }) => few !== many).length;
  return [
    {
      ...{ name: 'statements', figure: growing, unit: 'routes whose statements grow', goal: '0', met: growing === 0 },
      ...{
        peer: null,
        peerFigure: null,
        ratio: null,
        input: `${counts.length} GET routes, ${FEW} and ${MANY} instruments`,
      },
    },
  ];
}
