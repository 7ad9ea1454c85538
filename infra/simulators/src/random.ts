/** A number in [0, 1). */
export type Random = () => number;

/** Marsaglia's xorshift32 (doi:10.18637/jss.v008.i14): small, and the same seed gives the same faults again. */
export function seededRandom(seed: number): Random {
  // Spread neighbouring seeds apart; the state must never be zero.
  let state = Math.imul(seed + 1, 0x9e37_79b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
