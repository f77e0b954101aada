import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { currentTrace } from '../trace/trace.ts';
import { hideInText, hideSecrets } from './hide-secrets.ts';

/** JSON lines on standard output. Every line of work inside a trace carries its id, and nothing secret is written. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: undefined,
    formatters: { log: hideFields },
    hooks: {
      logMethod(args, method) {
        method.apply(this, hideWords(args));
      },
    },
    mixin(_fields, _level, logger) {
      const trace = currentTrace();
      if (trace === null) return {};
      // A request's own logger names the request already.
      const hasRequest = 'requestId' in logger.bindings();
      return { traceId: trace.traceId, ...(hasRequest ? {} : { requestId: trace.traceId }) };
    },
    serializers: { err: (error: unknown) => tellError(error) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const log = destination === undefined ? pino(options) : pino(options, destination);
  // The library shows bound fields to no formatter, so they are hidden when they are bound; children inherit this.
  const child = log.child;
  return Object.assign(log, {
    child(this: Logger, bindings: object, childOptions?: object) {
      return child.call(this, hideFields(bindings), childOptions);
    },
  });
}

function hideFields(fields: object): Record<string, unknown> {
  return { ...Object(hideSecrets(fields)) };
}

type Words = [obj: unknown, msg?: string, ...args: unknown[]];

function hideWords(args: readonly unknown[]): Words {
  const [first, ...rest] = args.map((arg) => (typeof arg === 'string' ? hideInText(arg) : arg));
  return [first, ...rest] as Words;
}

const CAUSES_MAX = 5;

/** What helps to find the fault. Other fields of an error may hold anything: a driver's hold its whole connection. */
function tellError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return hideInText(String(error));
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? { code: error.code } : {};
  const why = cause === undefined || depth >= CAUSES_MAX ? {} : { cause: tellError(cause, depth + 1) };
  return { name, message: hideInText(message), ...code, stack: hideInText(stack ?? ''), ...why };
}
