import { useQuery } from '@tanstack/react-query';
import { listInstruments } from '@touchstone/contracts/data';
import { useDeferredValue, useState } from 'react';
import { apiQuery } from '../lib/query.ts';
import { TextField } from './form.tsx';
import { QueryView } from './query-view.tsx';
import { Button } from './ui.tsx';

export type Picked = {
  instrumentId: number;
  symbol: string;
  name: string;
  firstDay: string | null;
  lastDay: string | null;
};
const FOUND_MAX = 20;

/** Finds instruments by symbol or name and keeps a list of those chosen, each with the days it is a member. */
export function InstrumentPicker(props: { sourceId: number; picked: Picked[]; onPicked: (picked: Picked[]) => void }) {
  const [search, setSearch] = useState('');
  const asked = useDeferredValue(search);
  const found = useQuery(
    apiQuery(listInstruments, { query: { search: asked, sourceId: props.sourceId, limit: FOUND_MAX } }),
  );
  const taken = new Set(props.picked.map((member) => member.instrumentId));
  const change = (instrumentId: number, part: Partial<Picked>) =>
    props.onPicked(
      props.picked.map((member) => (member.instrumentId === instrumentId ? { ...member, ...part } : member)),
    );
  return (
    <div className="grid gap-5 md:grid-cols-2">
      <div>
        <TextField label="Find" type="search" placeholder="Symbol or name" value={search} onValue={setSearch} />
        <div className="mt-2 max-h-80 overflow-y-auto rounded border border-line">
          <QueryView query={found}>
            {(page) => (
              <ul>
                {page.items.length === 0 && <li className="px-3 py-2 text-sm text-soft">Nothing is called that.</li>}
                {page.items.map((instrument) => (
                  <li
                    key={instrument.id}
                    className="flex items-center justify-between gap-3 border-b border-line px-3 py-1.5 text-sm last:border-b-0"
                  >
                    <span className="min-w-0">
                      <span className="font-medium">{instrument.symbol}</span>{' '}
                      <span className="text-soft">{instrument.name}</span>
                    </span>
                    <Button
                      aria-label={`Add ${instrument.symbol}`}
                      disabled={taken.has(instrument.id)}
                      onClick={() =>
                        props.onPicked([
                          ...props.picked,
                          {
                            instrumentId: instrument.id,
                            symbol: instrument.symbol,
                            name: instrument.name,
                            firstDay: null,
                            lastDay: null,
                          },
                        ])
                      }
                    >
                      {taken.has(instrument.id) ? 'Added' : 'Add'}
                    </Button>
                  </li>
                ))}
              </ul>
            )}
          </QueryView>
        </div>
      </div>
      <div>
        <p className="mb-1 text-sm font-medium">Chosen</p>
        {props.picked.length === 0 && <p className="text-sm text-soft">Nothing yet.</p>}
        <ul className="max-h-96 overflow-y-auto">
          {props.picked.map((member) => (
            <li
              key={member.instrumentId}
              className="flex flex-wrap items-center gap-2 border-b border-line py-1.5 text-sm"
            >
              <span className="min-w-16 font-medium">{member.symbol}</span>
              <input
                type="date"
                aria-label={`${member.symbol}: member from`}
                title="Member from; empty: always"
                className="control max-w-36 py-0 text-xs"
                value={member.firstDay ?? ''}
                onChange={(event) => change(member.instrumentId, { firstDay: event.currentTarget.value || null })}
              />
              <input
                type="date"
                aria-label={`${member.symbol}: member to`}
                title="Member to; empty: still"
                className="control max-w-36 py-0 text-xs"
                value={member.lastDay ?? ''}
                onChange={(event) => change(member.instrumentId, { lastDay: event.currentTarget.value || null })}
              />
              <Button
                look="quiet"
                aria-label={`Remove ${member.symbol}`}
                onClick={() =>
                  props.onPicked(props.picked.filter((other) => other.instrumentId !== member.instrumentId))
                }
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
