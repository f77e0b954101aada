import pg from 'pg';

export const MIGRATOR_ROLE = 'touchstone_migrator';
export const APP_ROLE = 'touchstone_app';
export const ARCHIVER_ROLE = 'touchstone_archiver';

/**
 * Makes the three roles and a database owned by the migrator, where they are missing. Runs as superuser of a cluster
 * that is ours: the embedded one, or a test's. On a shared server an administrator does this once (docs/operate).
 */
export async function provisionDatabase(superuser: pg.ClientConfig, databaseName: string): Promise<void> {
  const client = new pg.Client({ ...superuser, database: 'postgres' });
  await client.connect();
  try {
    for (const role of [MIGRATOR_ROLE, APP_ROLE, ARCHIVER_ROLE]) await createRole(client, role);
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount === 0) {
      await client.query(
        `CREATE DATABASE ${pg.escapeIdentifier(databaseName)} OWNER ${MIGRATOR_ROLE} TEMPLATE template0`,
      );
    }
  } finally {
    await client.end();
  }
}

async function createRole(client: pg.Client, role: string): Promise<void> {
  try {
    await client.query(`CREATE ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS`);
  } catch (error) {
    // Another process made it between the question and the answer, or it was there: both are fine.
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    if (code !== '42710' && code !== '23505') throw error;
  }
}
