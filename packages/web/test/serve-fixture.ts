import { join } from 'node:path';
import { ROLES } from '@touchstone/contracts/policy';
import { startFixtureServer } from './fixture-server.ts';

/** Serves the built pages on invented data: `node packages/web/test/serve-fixture.ts [port] [role]`. */
const [port = '8090', asked] = process.argv.slice(2);
const role = ROLES.find((one) => one === asked);
const fixture = await startFixtureServer({
  pages: join(import.meta.dirname, '../dist'),
  port: Number(port),
  ...(role && { role }),
});
console.log(fixture.origin);
