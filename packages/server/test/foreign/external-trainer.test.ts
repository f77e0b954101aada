import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { foreignManifest } from '@touchstone/contracts/foreign';
import { openOnnx } from '../../src/platform/onnx/onnx-runtime.ts';

const run = promisify(execFile);
const PYTHON = process.env.TOUCHSTONE_TORCH_PYTHON ?? '/usr/bin/python3';
const TRAINER = path.join(import.meta.dirname, '../../../../examples/pytorch/train.py');
const FEATURES = ['forecast:variance_week_month', 'forecast:variance_ema_month'];
const ROWS = 300;

async function whyNot(): Promise<string | undefined> {
  try {
    await run(PYTHON, ['-c', 'import torch, numpy'], { timeout: 60_000 });
    return undefined;
  } catch {
    return `${PYTHON} has no PyTorch; name one with TOUCHSTONE_TORCH_PYTHON`;
  }
}

/** What `train export` writes, made up: the label follows the first feature. */
async function writeExport(folder: string): Promise<object> {
  const lines = [`instrument,day,label_end,label,usable,fold_0,${FEATURES.join(',')}`];
  for (let row = 0; row < ROWS; row++) {
    const x = Math.sin(row * 1.7);
    const day = new Date(Date.UTC(2020, 0, 1 + row)).toISOString().slice(0, 10);
    const role = row < 200 ? 1 : row < 210 ? 0 : 2;
    lines.push(`1,${day},${18_262 + row + 5},${x > 0 ? 1 : 0},1,${role},${x},${row % 9 === 0 ? '' : Math.cos(row)}`);
  }
  const spec = {
    ...{ datasetSha256: 'a'.repeat(64), tableSha256: 'b'.repeat(64), fileSha256: 'c'.repeat(64) },
    ...{ target: 'volatility_direction', horizonDays: 5, unit: 'probability', kind: 'probability' },
    features: FEATURES.map((name) => ({ name, expression: '' })),
    ...{ firstDay: '2020-01-01', trainedUntil: '2020-10-20' },
    folds: [{ column: 'fold_0', firstTestDay: '2020-07-29', lastTestDay: '2020-10-26', trainRows: 200, testRows: 90 }],
  };
  await writeFile(path.join(folder, 'rows.csv'), `${lines.join('\n')}\n`);
  await writeFile(path.join(folder, 'spec.json'), JSON.stringify(spec));
  return spec;
}

test('the PyTorch example learns from exported rows and leaves a file and metadata that can be registered', async (t) => {
  const reason = await whyNot();
  if (reason !== undefined) {
    console.log(`not run: ${reason}`);
    return t.skip(reason);
  }
  const folder = await mkdtemp('/tmp/touchstone-torch-');
  try {
    const spec = await writeExport(folder);
    const { stdout } = await run(PYTHON, [TRAINER, folder, '--epochs', '30', '--cpu'], { timeout: 120_000 });
    assert.match(stdout, /device: CPU[\s\S]*fold_0 2020-07-29 to 2020-10-26: loss 0\.\d+[\s\S]*wrote/);
    const metadata = JSON.parse(await readFile(path.join(folder, 'metadata.json'), 'utf8'));
    const manifest = foreignManifest.parse({ ...spec, ...metadata });
    assert.deepEqual([manifest.features, manifest.trainedUntil], [FEATURES, '2020-10-20']);
    const model = await openOnnx(await readFile(path.join(folder, 'model.onnx')));
    const values = Float64Array.of(0.9, 0, -0.9, 0);
    const answer = await model.run(
      { name: manifest.input, element: 'float32', sizes: [2, 2], values },
      manifest.output,
    );
    await model.close();
    assert.ok(answer.values[0]! > 0.6 && answer.values[1]! < 0.4, String(answer.values));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
