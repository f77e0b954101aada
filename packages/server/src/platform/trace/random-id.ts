import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(8192);
let used = pool.length;

/** Random bytes as hexadecimal, for ids and not for secrets. Drawn for many ids at once: one by one took longer than all else of a short request. */
export function randomId(byteCount: 8 | 16): string {
  if (used + byteCount > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += byteCount;
  return pool.toString('hex', used - byteCount, used);
}
