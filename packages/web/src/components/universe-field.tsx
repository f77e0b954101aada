import { useQuery } from '@tanstack/react-query';
import { listUniverses } from '@touchstone/contracts/universes';
import { useEffect } from 'react';
import { apiQuery } from '../lib/query.ts';
import { SelectField } from './form.tsx';

type Props = {
  /** Number of the universe, as text; '' until there is one. */
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  path?: string;
  error?: unknown;
};

/** Chooses one of the universes; the first stands there from the beginning. */
export function UniverseField({ value, onValue, ...rest }: Props) {
  const { data } = useQuery(apiQuery(listUniverses, { query: { limit: 200 } }));
  const first = data?.items[0];
  useEffect(() => {
    if (value === '' && first !== undefined) onValue(String(first.id));
  }, [value, first, onValue]);
  return (
    <SelectField
      {...rest}
      label="Universe"
      value={value}
      onValue={onValue}
      options={(data?.items ?? []).map(({ id, name }) => [String(id), name] as const)}
      required
    />
  );
}
