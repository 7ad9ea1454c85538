/** Chance that repeats: in [0, 1), the same sequence for the same seed (Lehmer's generator, MINSTD 48271). */
export function seeded(seed: number): () => number {
  let state = (Math.abs(Math.trunc(seed)) % 2147483646) + 1;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  next(); // The first value of a small seed is small, too.
  return next;
}
