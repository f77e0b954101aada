import type { Reading } from '@touchstone/contracts/market';
import type { Route } from '@touchstone/contracts/route';
import { formatCount, formatDay, shortHash, words } from '../lib/format.ts';
import { Note } from './ui.tsx';
import { Provenance } from './where-from.tsx';

/** The foot of every panel made from a reading. */
export function ReadingFoot({ unit, reading, route }: { unit: string; reading: Reading; route: Route }) {
  const { lineage } = reading;
  return (
    <Provenance
      unit={unit}
      time={reading.time}
      route={route}
      extra={[
        ['Bars', `${formatCount(reading.barCount)}, ${formatDay(reading.firstDay)} to ${formatDay(reading.lastDay)}`],
        ['Prices stand on', reading.basis === null ? 'not told by the source' : words(reading.basis)],
        ['Data', shortHash(lineage.dataSha256)],
        ['Settings', shortHash(lineage.configSha256)],
        ['Code', lineage.codeVersion],
        ['Seed', String(lineage.seed)],
      ]}
    />
  );
}

/** Steps that may be splits nobody told of change every figure, so they are told before any. */
export function SuspectDays({ reading }: { reading: Reading }) {
  if (reading.suspectDays.length === 0) return null;
  const days = reading.suspectDays.slice(0, 5).map(formatDay).join(', ');
  return (
    <div className="mb-4">
      <Note tone="warn" title="A step looks like a split nobody told of">
        {days}: paid as no return until the finding is decided.
      </Note>
    </div>
  );
}
