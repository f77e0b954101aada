import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino';

/** Never written, wherever they stand in what is logged. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-csrf-token',
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'csrfToken',
  'token',
  'secret',
];
const DEPTHS = ['', '*.', '*.*.', '*.*.*.'];

/** JSON lines on standard output. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const paths = SECRET_FIELDS.flatMap((name) => DEPTHS.map((depth) => pathOf(depth, name)));
  const options: LoggerOptions = {
    level,
    base: undefined,
    redact: { paths, censor: '[hidden]' },
    serializers: { err: (error: unknown) => tellError(error) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function pathOf(depth: string, name: string): string {
  // A name with a dash is no identifier and needs brackets.
  if (!name.includes('-')) return depth + name;
  return `${depth.slice(0, -1)}["${name}"]`;
}

const CAUSES_MAX = 5;

/** What helps to find the fault. Other fields of an error may hold anything: a driver's hold its whole connection. */
function tellError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? { code: error.code } : {};
  const why = cause === undefined || depth >= CAUSES_MAX ? {} : { cause: tellError(cause, depth + 1) };
  return { name, message, ...code, stack, ...why };
}
