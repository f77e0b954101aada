/**
 * A named moment at which a test may kill the process: no cleanup runs, as in a loss of power.
 *
 * Does nothing unless TOUCHSTONE_FAIL_POINT is this name.
 */
export function failPoint(name: string): void {
  if (process.env.TOUCHSTONE_FAIL_POINT === name) process.kill(process.pid, 'SIGKILL');
}
