// Writes packages/server/schema.sql and the table types from a freshly migrated database: node scripts/generate-schema.ts
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTestDatabase } from '../packages/server/test/cluster.ts';
import { describeSchema, describeTypes } from '../packages/server/test/describe-schema.ts';

const server = path.join(import.meta.dirname, '../packages/server');
const test = await createTestDatabase();
await writeFile(path.join(server, 'schema.sql'), await describeSchema(test.migrator));
await writeFile(path.join(server, 'src/platform/database/schema-types.ts'), await describeTypes(test.migrator));
await test.close();
console.log('schema.sql and schema-types.ts are written');
