import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const computeArgon2 = promisify<'argon2id', Argon2Parameters, Buffer>(argon2);

/** OWASP's second choice with three times its passes: about 60 ms on one core. Memory in KiB. */
const COST = { memory: 32 * 1024, passes: 3, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** Each holds 32 MiB while it runs; more at once would let strangers fill the memory. */
const RUNNING_MAX = 2;
const WAITING_MAX = 100;

/** A password as an Argon2id text in the usual `$argon2id$…` form, computed off the event loop. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await compute(password, salt, COST.memory, COST.passes, COST.parallelism);
  const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${encode(salt)}$${encode(tag)}`;
}

/** Compares in constant time. Without a hash it takes as long and says no: who exists cannot be told by the clock. */
export async function isPasswordRight(password: string, hash: string | null): Promise<boolean> {
  const parsed = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash ?? '');
  if (parsed === null) {
    await compute(password, Buffer.alloc(SALT_BYTES), COST.memory, COST.passes, COST.parallelism);
    return false;
  }
  const [, memory, passes, parallelism, salt = '', expected = ''] = parsed;
  const tag = await compute(password, Buffer.from(salt, 'base64'), Number(memory), Number(passes), Number(parallelism));
  const stored = Buffer.from(expected, 'base64');
  return stored.length === tag.length && timingSafeEqual(stored, tag);
}

let running = 0;
const waiting: (() => void)[] = [];

/** The server has more sign-ins waiting than it will take. */
export class TooBusyError extends Error {
  override name = 'TooBusyError';
}

async function compute(password: string, nonce: Buffer, memory: number, passes: number, parallelism: number) {
  if (running >= RUNNING_MAX) {
    if (waiting.length >= WAITING_MAX) throw new TooBusyError('too many passwords are being checked');
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running++;
  try {
    const message = Buffer.from(password.normalize('NFKC'));
    return await computeArgon2('argon2id', { message, nonce, memory, passes, parallelism, tagLength: TAG_BYTES });
  } finally {
    running--;
    waiting.shift()?.();
  }
}
