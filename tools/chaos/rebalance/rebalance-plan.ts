/** One event to be sent: number `n` of `subject`. */
export type Planned = { subject: string; n: number };

/** What is done to the group. Each makes it share its partitions out anew; `pause` does twice. */
export type Churn = 'join' | 'leave' | 'kill' | 'pause';

export const REBALANCES: Record<Churn, number> = { join: 1, leave: 1, kill: 1, pause: 2 };

/** How long messages are sent meanwhile, in ms. A member that is killed or paused is missed after its session of 6 s. */
export const FEED_MS: Record<Churn, number> = { join: 3000, leave: 3000, kill: 11_000, pause: 14_000 };

export const FULL: Churn[] = [
  'join',
  'leave',
  'kill',
  'join',
  'pause',
  'leave',
  'join',
  'kill',
  'join',
  'pause',
];
export const QUICK: Churn[] = ['join', 'leave', 'kill', 'pause'];

/**
 * The events of some subjects in the order in which they are sent: that of their numbers, but for a few that are turned
 * around, as by two relays that share rows out.
 */
export function planOf(
  count: number,
  { subjects, turned, random }: { subjects: number; turned: number; random: () => number },
): Planned[] {
  const next = new Map<string, number>();
  const plan = Array.from({ length: count }, () => {
    const subject = `subject-${1 + Math.floor(random() * subjects)}`;
    const n = (next.get(subject) ?? 0) + 1;
    next.set(subject, n);
    return { subject, n };
  });
  for (let i = 0; i < plan.length; i++) {
    if (random() >= turned) continue;
    const later = plan.findIndex(({ subject }, at) => at > i && subject === plan[i]!.subject);
    if (later > 0) [plan[i], plan[later]] = [plan[later]!, plan[i]!];
  }
  return plan;
}

/** In as many parts as there are steps, by how long each step takes. */
export function partsOf(plan: Planned[], steps: Churn[]): Planned[][] {
  const total = steps.reduce((sum, step) => sum + FEED_MS[step], 0);
  let begun = 0;
  let from = 0;
  return steps.map((step) => {
    begun += FEED_MS[step];
    const to = Math.round((plan.length * begun) / total);
    const part = plan.slice(from, to);
    from = to;
    return part;
  });
}
