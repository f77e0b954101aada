import type { PartSpec } from '@touchstone/quant/evaluation/forecast-training/fit-part';
import { writeArtefact } from '@touchstone/quant/learn/artefact';
import { hashOf } from '../../platform/object-store/bundle.ts';

export const PART_INPUT_KIND = 'training-part/1';

/** All that `run-subtask.ts` needs to do a part elsewhere: the rows and what to do with them, as one file. */
export function packPart(tableBytes: Uint8Array, spec: PartSpec): Uint8Array {
  return writeArtefact({ kind: PART_INPUT_KIND, meta: { spec }, arrays: { table: tableBytes } });
}

/** Name of a part: equal names have equal results. */
export function keyOfPart(tableSha256: string, spec: PartSpec, codeVersion: string): string {
  return hashOf({ kind: PART_INPUT_KIND, tableSha256, spec, codeVersion });
}
