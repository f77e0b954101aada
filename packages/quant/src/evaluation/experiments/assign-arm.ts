import { expect } from '../../checks/expect.ts';

export type Arm = 'control' | 'treatment';
export type Assignment = 'sticky' | 'interleaved' | 'shadow';

/**
 * Which version answers: from the names alone, so that every server says the same, today and in ten years, and nothing has to be
 * stored.
 *
 * sticky: half of the subjects, for good. interleaved: half of the blocks of sessions, in pairs of which each has one block of
 * either, so that no season falls to one side. shadow: always the control.
 *
 * @param test Name of the test: another test draws anew.
 * @param subject Name of what is asked about, as `instrument/12`.
 * @param session Whole number of the session, >= 0, the same for all subjects of a day.
 * @param blockSessions Sessions of a block, >= 1; for interleaved.
 */
export function assignArm(
  assignment: Assignment,
  test: string,
  subject: string,
  session: number,
  blockSessions: number,
): Arm {
  expect(Number.isInteger(session) && session >= 0, `session must be a whole number >= 0, was ${session}`);
  expect(Number.isInteger(blockSessions) && blockSessions >= 1, `blockSessions must be >= 1, was ${blockSessions}`);
  if (assignment === 'shadow') return 'control';
  if (assignment === 'sticky') return isUpper(`${test}|${subject}`) ? 'treatment' : 'control';
  const block = Math.floor(session / blockSessions);
  const isTreatmentFirst = isUpper(`${test}|pair ${Math.floor(block / 2)}`);
  return (block % 2 === 0) === isTreatmentFirst ? 'treatment' : 'control';
}

/** A fair coin that always falls the same way for the same text: FNV-1a, its bits mixed. */
function isUpper(text: string): boolean {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return ((hash ^ (hash >>> 15)) & 1) === 1;
}
