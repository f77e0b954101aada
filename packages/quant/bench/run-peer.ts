import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where a peer's packages are: in `.peers` (npm run peers), or in the Python of the system, as Debian's python3-torch. */
const PYTHONS = { peers: join(import.meta.dirname, '../../../.peers/bin/python'), system: '/usr/bin/python3' };

/** What a Python script beside this file prints as JSON; null where the peers are not installed or it fails. */
export function runPeer<Answer>(
  script: string,
  args: readonly (string | number)[] = [],
  python: keyof typeof PYTHONS = 'peers',
): Answer | null {
  if (!existsSync(PYTHONS[python])) return null;
  const outcome = spawnSync(PYTHONS[python], [join(import.meta.dirname, script), ...args.map(String)], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return outcome.status === 0 ? JSON.parse(outcome.stdout) : null;
}
