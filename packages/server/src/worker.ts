import { type Config, ConfigError, readConfig } from './config.ts';
import { openServer } from './open-server.ts';
import { traceOutgoingRequests } from './platform/trace/trace.ts';
import { stopOnSignal, toSentence } from './process-end.ts';

try {
  await start(readConfig(process.env));
} catch (error) {
  console.error(toSentence(error));
  process.exit(1);
}

/** Takes tasks like a server, and answers nobody. */
async function start(config: Config): Promise<void> {
  if (config.databaseUrl === null) {
    throw new ConfigError(
      'A worker joins by DATABASE_URL. The embedded database belongs to the one server that started it and listens to nobody else: run PostgreSQL, and give the server and every worker the same DATABASE_URL and TOUCHSTONE_HOME.',
    );
  }
  traceOutgoingRequests();
  const { processes, tasks, stop } = await openServer(config, 'worker');
  await processes.open();
  await tasks.run();
  stopOnSignal(stop);
  console.log(`Touchstone ${config.version} worker is ready`);
}
