export type Backoff = {
  /** Longest pause after the first failure, in ms. Default 200. */
  minDelayMs: number;
  /** Longest pause there is, in ms. Default 5000. */
  maxDelayMs: number;
};

/**
 * The pause after that many failures: doubled each time, between half of it and all of it. Replicas that were started at once
 * do not come back at once, and none of them comes back without any pause.
 */
export function pauseAfter(
  failures: number,
  { minDelayMs, maxDelayMs }: Backoff,
  random: () => number,
): number {
  const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (failures - 1));
  return longest * (0.5 + random() / 2);
}
