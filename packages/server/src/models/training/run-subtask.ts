// Does one part of a training on any machine: `node run-subtask.ts IN OUT`. IN holds the rows and what to do with them, OUT
// gets the result; the same IN gives the same OUT. Needs no database and no network.
import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { fitPart, type PartSpec, saveResult } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { loadTable } from '@touchstone/quant/evaluation/forecast-training/training-table';
import { readArtefact } from '@touchstone/quant/learn/artefact';
import { PART_INPUT_KIND } from './pack-part.ts';

const [input, output] = process.argv.slice(2);
if (input === undefined || output === undefined) {
  process.stderr.write('Usage: node run-subtask.ts IN OUT\n');
  process.exitCode = 2;
} else {
  try {
    const { meta, arrays } = readArtefact(await readFile(input), PART_INPUT_KIND);
    const { table } = arrays;
    if (!(table instanceof Uint8Array)) throw new RangeError('the input must hold a table');
    const bytes = saveResult(fitPart(loadTable(table), meta.spec as PartSpec));
    // Whole or not at all: whoever waits for the file never reads half of it.
    await writeFile(`${output}.part`, bytes);
    await rename(`${output}.part`, output);
    // Whoever waits elsewhere checks by this that what it reads is what was written.
    const seconds = process.cpuUsage().user / 1e6;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    process.stdout.write(`${JSON.stringify({ sha256, seconds })}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
