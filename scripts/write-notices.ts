// Writes the table of NOTICE.md from the lock file: node scripts/write-notices.ts
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

type Locked = { version?: string; license?: string; dev?: boolean; link?: boolean };

const root = path.join(import.meta.dirname, '..');
const INSTALLED = 'node_modules/';

/** NOTICE.md as it should stand: what comes before its table, and the table of what is installed to run the product. */
export function renderNotices(): string {
  const text = readFileSync(path.join(root, 'NOTICE.md'), 'utf8');
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const byLicence = new Map<string, Set<string>>();
  for (const [place, { version, license = 'not told', dev, link }] of Object.entries(lock.packages)) {
    if (!place.includes(INSTALLED) || dev || link || version === undefined) continue;
    const name = place.slice(place.lastIndexOf(INSTALLED) + INSTALLED.length);
    const packages = byLicence.get(license) ?? new Set();
    byLicence.set(license, packages.add(`${name} ${version}`));
  }
  const rows = Array.from(byLicence, ([licence, packages]) => `| ${licence} | ${[...packages].sort().join(', ')} |`);
  const head = text.slice(0, text.indexOf('| Licence'));
  return `${head}| Licence | Packages |\n| --- | --- |\n${rows.sort().join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(path.join(root, 'NOTICE.md'), renderNotices());
  console.log('NOTICE.md is written; format it with npm run fix');
}
