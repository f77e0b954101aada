import { createTestDatabase } from '/work/wt/mlflow/packages/server/test/cluster.ts';
import { startTestServer } from '/work/wt/mlflow/packages/server/test/test-server.ts';
import { createMlflowWire } from '/work/wt/mlflow/packages/server/src/models/mlflow/mlflow.wire.ts';
import { createRegistry } from '/work/wt/mlflow/packages/server/src/models/registry/registry.ts';
import { spawnSync, spawn } from 'node:child_process';
const db = await createTestDatabase();
const server = await startTestServer(db, { wires: ({ serveWire, database, objects }) => {
  serveWire(createMlflowWire({ database, objects, registry: createRegistry({ database, objects, codeVersion: 'test' }) }));
}});
const token = await server.tokenFor('analyst', 5);
const child = spawn('/work/peers/ref/bin/python', ['/work/wt/mlflow/packages/server/test/models/mlflow/use_mlflow_client.py', server.url, ...process.argv.slice(2)], { env: { ...process.env, MLFLOW_TRACKING_TOKEN: token }, stdio: 'inherit' });
await new Promise((done) => child.on('exit', done));
for (const line of server.lines) { const l = JSON.parse(line); if ((l.status ?? 0) >= 400 || l.err) console.log(l.method ?? '', l.url ?? '', l.status ?? '', l.err?.stack?.slice(0, 900) ?? ''); }
await server.close(); await db.close();
