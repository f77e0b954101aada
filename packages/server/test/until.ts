import assert from 'node:assert/strict';

/** Long enough for the busiest machine: only what never comes true waits for all of it. */
const UNTIL_MS = 120_000;
const EVERY_MS = 20;

/** Waits until something is so. @throws AssertionError that says what never came. */
export async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + UNTIL_MS;
  while (!(await is())) {
    assert.ok(performance.now() < deadline, `${what}: not in ${UNTIL_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
