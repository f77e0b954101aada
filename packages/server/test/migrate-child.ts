import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';

/** A process that migrates a database and says what it ran: `migrate-child.ts JSON`. */
const pool = createPool({ ...JSON.parse(process.argv[2] ?? '{}'), max: 1 }, () => {});
console.log(JSON.stringify(await migrate(pool, { app: 'touchstone_app', archiver: 'touchstone_archiver' })));
await pool.end();
