import type { Task } from '@touchstone/contracts/tasks';
import { formatBytes, formatCount, formatDay, plural } from '../../lib/format.ts';

export type TaskOutcome = {
  /** What it did, in a sentence without a stop. Null: nothing to say besides its title. */
  words: string | null;
  /** The page of what it made. */
  place: { path: string; label: string } | null;
};

/** What background work came to and where that is shown; null while there is no result. */
export function taskOutcome({ kind, input, result }: Pick<Task, 'kind' | 'input' | 'result'>): TaskOutcome | null {
  if (result === null) return null;
  const at = (key: string) => (typeof result[key] === 'number' ? result[key] : null);
  const say = (key: string) => (typeof result[key] === 'string' ? result[key] : null);
  if (kind === 'market-data.refresh.run') {
    return {
      words: say('sentence')?.replace(/\.$/, '') ?? null,
      place: page('/data/refreshes', at('refreshId'), 'Its report'),
    };
  }
  if (kind === 'market-data.price-import.run') {
    const counted = `${plural(at('acceptedCount') ?? 0, 'row')} accepted, ${formatCount(at('quarantinedCount') ?? 0)} held back, ${formatCount(at('errorCount') ?? 0)} malformed`;
    return { words: counted, place: page('/data/runs', at('runId'), 'The delivery') };
  }
  if (kind === 'portfolio.index-run.run') {
    const span = `${formatDay(say('firstDay'))} to ${formatDay(say('lastDay'))}`;
    return { words: `Version ${at('runNumber')}, ${span}`, place: page('/indexes', at('indexId'), 'The index') };
  }
  if (kind === 'market-data.court.run') {
    const universeId = typeof input.universeId === 'number' ? input.universeId : null;
    return { words: null, place: page('/universes', universeId, 'The universe') };
  }
  if (kind === 'operate.backup.run') {
    const size = `${plural(at('rowCount') ?? 0, 'row')}, ${formatBytes(at('byteCount') ?? 0)}`;
    return { words: size, place: { path: '/operate/backups', label: 'All backups' } };
  }
  if (kind === 'operate.drill.run') {
    const words = result.ok === true ? `${plural(at('rowCount') ?? 0, 'row')} restored and equal` : 'It was not equal';
    return { words, place: { path: '/operate/backups', label: 'All backups' } };
  }
  if (kind.startsWith('operate.archive.')) {
    const files = Array.isArray(result.archived) ? plural(result.archived.length, 'file') : null;
    return { words: files && `${files} written`, place: { path: '/operate/backups', label: 'Archived years' } };
  }
  if (kind === 'operate.verify.run') {
    return {
      words: result.ok === false ? 'Something differs' : null,
      place: { path: '/evidence', label: 'The chain' },
    };
  }
  return { words: null, place: null };
}

function page(folder: string, id: number | null, label: string): TaskOutcome['place'] {
  return id === null ? null : { path: `${folder}/${id}`, label };
}
