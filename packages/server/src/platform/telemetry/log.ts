import pino, { type DestinationStream, type Logger } from 'pino';

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
  const options = {
    level,
    base: undefined,
    redact: { paths, censor: '[hidden]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function pathOf(depth: string, name: string): string {
  // A name with a dash is no identifier and needs brackets.
  if (!name.includes('-')) return depth + name;
  return `${depth.slice(0, -1)}["${name}"]`;
}
