import { Link } from '@tanstack/react-router';
import { words } from '../../lib/format.ts';

/** Nouns of the pages where the chain has others. */
const NOUNS: Record<string, string> = { run: 'Delivery', case: 'Finding', api_key: 'API key', source: 'Source' };
const PLACES: Record<string, string> = {
  user: '/settings/people',
  index: '/indexes',
  universe: '/universes',
  run: '/data/runs',
  case: '/data/cases',
  refresh: '/data/refreshes',
  instrument: '/data/instruments',
  dataset: '/evidence/datasets',
};
const LISTS: Record<string, string> = {
  api_key: '/settings/keys',
  schedule: '/tasks/schedules',
  backup: '/operate/backups',
  archive: '/operate/backups',
  source: '/data',
  invitation: '/settings/people',
  tenant: '/settings/tenants',
  alert: '/alerts',
};
const ID_LENGTH = 12;

/** `run.published` as `Delivery published`. */
export function kindWords(kind: string): string {
  const [noun = '', ...rest] = kind.split('.');
  return [NOUNS[noun] ?? words(noun), ...rest.map((part) => part.replaceAll('_', ' '))].join(' ');
}

/** What a record is about, with the way to its page where it has one. */
export function Subject({ kind, id, name }: { kind: string; id: string; name?: string | null }) {
  const short = id.length > ID_LENGTH ? `${id.slice(0, ID_LENGTH)}…` : id;
  const text = name ?? `${NOUNS[kind] ?? words(kind)} ${short}`;
  const folder = PLACES[kind];
  const place = folder === undefined ? LISTS[kind] : `${folder}/${id}`;
  if (place === undefined) return <span title={id}>{text}</span>;
  return (
    <Link to={place} className="link" title={id === short ? undefined : id}>
      {text}
    </Link>
  );
}
