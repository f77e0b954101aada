import type pg from 'pg';
import * as auth from '../platform/auth/auth.service.ts';
import { createDatabase } from '../platform/database/database.ts';
import { createPool } from '../platform/database/pool.ts';
import { ProblemError } from '../platform/problem-error.ts';

const LENGTH_MIN = 12;
const LENGTH_MAX = 200;

/**
 * Sets a new password for somebody who lost it, without asking for the old one: whoever may read the data folder, or
 * knows the database's address, is the operator. Ends all sessions of that person and is on record in the evidence.
 *
 * @throws ProblemError if nobody has the address or the password is too short.
 */
export async function resetPassword(app: pg.ClientConfig, email: string, password: string): Promise<{ reset: string }> {
  const length = [...password].length;
  if (length < LENGTH_MIN || length > LENGTH_MAX) {
    throw new ProblemError(
      'INVALID_REQUEST',
      `A password has ${LENGTH_MIN} to ${LENGTH_MAX} characters, this has ${length}.`,
    );
  }
  const database = createDatabase(createPool({ ...app, max: 1 }, () => {}));
  try {
    await auth.resetPassword(database, email, password);
  } finally {
    await database.close();
  }
  return { reset: email };
}
