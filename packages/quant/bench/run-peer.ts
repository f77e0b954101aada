import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What a Python script beside this file prints as JSON; null where the peers are not installed or it fails. */
export function runPeer<Answer>(script: string, args: readonly (string | number)[] = []): Answer | null {
  const python = join(import.meta.dirname, '../../../.peers/bin/python');
  if (!existsSync(python)) return null;
  const outcome = spawnSync(python, [join(import.meta.dirname, script), ...args.map(String)], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return outcome.status === 0 ? JSON.parse(outcome.stdout) : null;
}
