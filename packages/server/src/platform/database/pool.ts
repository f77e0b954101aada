import pg from 'pg';

const OID = { int8: 20, date: 1082, timestamptz: 1184 } as const;

// A date stays the text it is: a Date object would give it a time zone it does not have.
pg.types.setTypeParser(OID.date, (text) => text);
// Identities and counts stay far below 2^53.
pg.types.setTypeParser(OID.int8, Number);
// Instants are ISO texts in UTC with milliseconds, the same as on the wire; they sort as text.
pg.types.setTypeParser(OID.timestamptz, (text) => new Date(text).toISOString());

/** Creates a pool whose connections speak UTC and whose loss of the server is reported, not thrown. */
export function createPool(connection: pg.PoolConfig, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    max: 10,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    application_name: 'touchstone',
    options: '-c timezone=UTC -c datestyle=ISO',
    ...connection,
  });
  // Without a listener the process would die when the server stops.
  pool.on('error', onError);
  return pool;
}
