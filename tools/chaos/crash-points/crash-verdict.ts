import type { Violation } from '../audit/audit-books.ts';

/** What one crash came to. Times in ms. */
export type CrashRun = {
  point: string;
  /** 1, 2, 3 … of this point. */
  run: number;
  seed: number;
  /** The exchange in the middle of which the process was killed; undefined when none came. */
  hit?: string;
  /** From the restart until the process was ready. */
  readyMs?: number;
  /** From the restart until nothing was waiting any more; undefined when it never came to that. */
  convergedMs?: number;
  orders: number;
  /** E-mails that went out once more, under the Message-ID of the first. */
  mailsAgain: number;
  /** What the books show that they did not show before this run. */
  found: Violation[];
  /** Of the scheduler: what is wrong with its runs. */
  jobs: string[];
};

export const LONGEST_MS = 10_000;

/** Every way in which a crash has cost something; empty when it has not. */
export function crashViolations(run: CrashRun, { mayRepeatMail = false } = {}): string[] {
  const violations = [...run.found.map(({ kind, text }) => `${kind}: ${text}`), ...run.jobs];
  if (run.hit === undefined) return ['the point was never reached', ...violations];
  if (run.convergedMs === undefined) violations.push('it never settled');
  else if (run.convergedMs > LONGEST_MS)
    violations.push(
      `settled ${seconds(run.convergedMs)} after the restart, not within ${seconds(LONGEST_MS)}`,
    );
  if (run.mailsAgain > 0 && !mayRepeatMail)
    violations.push(`${run.mailsAgain} e-mails went out again, and nothing here can cause that`);
  return violations;
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/** An order, or what is known of it elsewhere, as long as something is still to happen. */
export type Progress = {
  orders: { id: string; state: string }[];
  payments: { orderId: string; state: string }[];
  /** Letters that were sent, by order. */
  sent: { orderId: string; template: string }[];
  /** Rows that wait somewhere. */
  leftovers: Record<string, number>;
};

const LAST_LETTER: Record<string, string> = {
  paid: 'receipt',
  payment_failed: 'payment_failed',
  cancelled: 'order_cancelled',
  refunded: 'order_refunded',
};
const PAYMENT: Record<string, string[]> = {
  paid: ['succeeded'],
  payment_failed: ['failed'],
  cancelled: ['failed'],
  refunded: ['refunded'],
};

/** What is still under way; empty when everything has come to its end. */
export function underWay({ orders, payments, sent, leftovers }: Progress): string[] {
  const paymentOf = new Map(payments.map(({ orderId, state }) => [orderId, state]));
  const letters = new Set(sent.map(({ orderId, template }) => `${orderId} ${template}`));
  const waiting = orders.flatMap(({ id, state }) => {
    const payment = paymentOf.get(id) ?? 'none';
    if (!PAYMENT[state]?.includes(payment)) return [`order ${id} is ${state}, its payment ${payment}`];
    const letter = LAST_LETTER[state]!;
    return letters.has(`${id} ${letter}`) ? [] : [`order ${id} is ${state}, without its ${letter} letter`];
  });
  return [...waiting, ...Object.entries(leftovers).flatMap(([what, n]) => (n ? [`${n} ${what}`] : []))];
}

export type JobRun = { job: string; tick: string };

/** Each tick that was claimed is on the topic, as one event; and the clock goes on after the restart. */
export function jobViolations(
  runs: JobRun[],
  events: (JobRun & { id: string })[],
  restartedAt: Date | undefined,
): string[] {
  const key = ({ job, tick }: JobRun) => `${job} of ${new Date(tick).toISOString()}`;
  const ids = Map.groupBy(events, key);
  const found: string[] = [];
  for (const run of runs) {
    const distinct = new Set(ids.get(key(run))?.map(({ id }) => id));
    if (distinct.size === 0) found.push(`job: ${key(run)} was claimed and never announced`);
    if (distinct.size > 1) found.push(`job: ${key(run)} was announced as ${distinct.size} events`);
  }
  if (restartedAt && !runs.some(({ tick }) => new Date(tick) > restartedAt))
    found.push('job: no tick was claimed after the restart');
  return found;
}
