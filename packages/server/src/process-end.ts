import { ConfigError } from './config.ts';
import { EmbeddedPostgresError } from './platform/database/embedded/embedded-postgres-error.ts';
import { StartError } from './platform/database/open-database.ts';

const STOP_TIMEOUT_MS = 30_000;

/** Stops the process in order when it is told to: it answers no more, gives running tasks back, closes the database. A second signal ends at once. */
export function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(1);
    stopping = true;
    // If something hangs we go anyway: the next start takes over what is left.
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(toSentence(error));
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** What went wrong and what to do, for the operator. A bug keeps its stack. */
export function toSentence(error: unknown): string {
  if (error instanceof ConfigError || error instanceof EmbeddedPostgresError || error instanceof StartError) {
    return error.message;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const port = error instanceof Error && 'port' in error ? error.port : process.env.PORT;
  const home = process.env.TOUCHSTONE_HOME ?? '~/.touchstone';
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Stop it, or set PORT to another number.`;
    case 'EACCES':
    case 'EPERM':
      return `Access was refused: ${String(error)}. Check who owns ${home}, or set TOUCHSTONE_HOME to another folder.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk that holds ${home} is full. Free some space, or set TOUCHSTONE_HOME to a folder on another disk.`;
    case 'EADDRNOTAVAIL':
      return `HOST is no address of this machine. Set it to 127.0.0.1, or to 0.0.0.0 for all.`;
    default:
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
