import type { ReactNode } from 'react';
import { formatCount, formatInstant, formatNumber, words } from '../lib/format.ts';
import { Facts, Hash } from './ui.tsx';

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const SHA256 = /^[0-9a-f]{64}$/;
const LISTED_MAX = 5;

/** What a record of the server holds, a line each and in words: for results and questions whose shape is not known here. */
export function RecordFacts({ record }: { record: Record<string, unknown> }) {
  const entries = Object.entries(record);
  if (entries.length === 0) return <span className="text-soft">nothing</span>;
  return <Facts items={entries.map(([key, value]) => [keyWords(key), <Value key={key} value={value} />] as const)} />;
}

/** `rowCount` as `Row count`. */
function keyWords(key: string): string {
  return words(key.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase());
}

function Value({ value }: { value: unknown }): ReactNode {
  if (value === null || value === undefined || value === '') return <span className="text-soft">none</span>;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return Number.isInteger(value) ? formatCount(value) : formatNumber(value, 2);
  if (typeof value === 'string') return <TextValue value={value} />;
  if (Array.isArray(value)) return <ListValue items={value} />;
  if (isRecord(value)) return flat(value);
  return String(value);
}

function TextValue({ value }: { value: string }) {
  if (SHA256.test(value)) return <Hash value={value} />;
  return INSTANT.test(value) ? formatInstant(value) : value;
}

function ListValue({ items }: { items: readonly unknown[] }) {
  if (items.length === 0) return <span className="text-soft">none</span>;
  const shown = items.slice(0, LISTED_MAX);
  if (items.every((item) => typeof item !== 'object')) {
    return `${shown.join(', ')}${items.length > LISTED_MAX ? ` and ${formatCount(items.length - LISTED_MAX)} more` : ''}`;
  }
  return (
    <ul>
      {shown.map((item) => (
        <li key={flat(item)}>{flat(item)}</li>
      ))}
      {items.length > LISTED_MAX && <li>and {formatCount(items.length - LISTED_MAX)} more</li>}
    </ul>
  );
}

/** A record within a record, on one line. */
function flat(value: unknown): string {
  if (!isRecord(value)) return String(value);
  return Object.entries(value)
    .map(([key, one]) => `${keyWords(key).toLowerCase()} ${isRecord(one) ? `(${flat(one)})` : String(one ?? 'none')}`)
    .join(', ');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
