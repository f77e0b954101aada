/** Tells the time. Tests hand in one that stands still. */
export type Clock = {
  /** Milliseconds since 1970, UTC. */
  now(): number;
};

export const systemClock: Clock = { now: Date.now };
