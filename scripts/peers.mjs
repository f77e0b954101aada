// `npm run peers`: the Python programs the figures are compared with, in `.peers/`. The product needs none of them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashFiles, root } from './bootstrap.mjs';

// Feast, DVC and MLflow pin what the others need newer, so each has a place of its own.
for (const name of ['peers', 'peers-feast', 'peers-dvc', 'peers-mlflow']) install(name);

/** @param {string} name Of the list in scripts/ and, with a dot, of the folder. */
function install(name) {
  const folder = join(root, `.${name}`);
  const list = join(root, 'scripts', `${name}.txt`);
  const stamp = join(folder, 'list-hash');
  const wanted = hashFiles([list]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === wanted) {
    console.log(`The peers are in ${folder} already.`);
    return;
  }
  run('python3', ['-m', 'venv', '--clear', folder], 'Install Python 3.11 or newer with its venv module.');
  run(
    join(folder, 'bin', 'python'),
    ['-m', 'pip', 'install', '--disable-pip-version-check', '--prefer-binary', '--requirement', list],
    'Check the network and the settings of pip.',
  );
  writeFileSync(stamp, `${wanted}\n`);
  console.log(`The peers are in ${folder}.`);
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} advice
 */
function run(program, args, advice) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`"${program} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}. ${advice}`);
  process.exit(1);
}
