import { setTimeout as delay } from 'node:timers/promises';

/** Asks until there is an answer; after `timeoutMs` it fails and says what was still missing and what was seen last. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  {
    timeoutMs = 30_000,
    everyMs = 50,
    seen = () => '',
  }: { timeoutMs?: number; everyMs?: number; seen?: () => string } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) {
      const last = seen();
      throw new Error(`Waited ${timeoutMs / 1000} s for ${what}${last && `; ${last}`}.`);
    }
    await delay(everyMs);
  }
}
