import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition instead of sleeping; fails with what it waited for. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  withinMs = 15_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await delay(20);
  }
}
