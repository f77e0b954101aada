import type { SubjectKind } from '@touchstone/contracts/market';
import type { Call, Option } from './command.ts';
import { indexId, instrumentId } from './look-up.ts';

/** A command about a subject takes its symbol, or the name of an index with `--index`. */
export const SUBJECT_OPTIONS: Readonly<Record<string, Option>> = {
  index: { summary: 'SUBJECT is the name or number of an index' },
};

export async function subjectOf(call: Call): Promise<{ kind: SubjectKind; id: number }> {
  const text = call.args[0] ?? '';
  if (call.flag('index')) return { kind: 'index', id: await indexId(call, text) };
  return { kind: 'instrument', id: await instrumentId(call, text) };
}
