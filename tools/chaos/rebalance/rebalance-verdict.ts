import type { Planned } from './rebalance-plan.ts';

export type PoisonFound = { kind: string; parked: number; nextAfterMs: number };

/** What one run has left behind. */
export type RebalanceFacts = {
  /** What the broker has acknowledged, or what was to have an effect in another way. */
  acknowledged: Planned[];
  /** In the order in which they were applied. */
  effects: Planned[];
  lostAcks: number;
  rebalances: number;
  /** Messages that came again, as the members say. */
  doubles: number;
  /** Messages that were held back. */
  held: number;
  poison: PoisonFound[];
  lettersLeft: number;
  heldLeft: number;
  accidents: string[];
};

export type RebalanceDemands = { lostAcks: number; rebalances: number; poison: string[] };

const POISON_DEADLINE_MS = 5000;

const id = ({ subject, n }: Planned) => `${subject} ${n}`;

export function missingOf({
  acknowledged,
  effects,
}: Pick<RebalanceFacts, 'acknowledged' | 'effects'>): string[] {
  const applied = new Set(effects.map(id));
  return acknowledged.map(id).filter((each) => !applied.has(each));
}

function repeatedOf({ effects }: Pick<RebalanceFacts, 'effects'>): string[] {
  const applied = new Set<string>();
  return effects.map(id).filter((each) => applied.has(each) || !applied.add(each));
}

/** Effects that did not follow upon the number before theirs. A repeated one is counted as such, and not here. */
function turnedOf({ effects }: Pick<RebalanceFacts, 'effects'>): string[] {
  const last = new Map<string, number>();
  const applied = new Set<string>();
  return effects
    .filter(({ subject, n }) => {
      if (applied.has(id({ subject, n }))) return false;
      applied.add(id({ subject, n }));
      const before = last.get(subject) ?? 0;
      last.set(subject, n);
      return n !== before + 1;
    })
    .map(id);
}

/** What is wrong with a run; nothing when all is well. */
export function rebalanceViolations(facts: RebalanceFacts, demands: RebalanceDemands): string[] {
  const found: string[] = [];
  const unless = (ok: boolean, text: string) => void (ok || found.push(text));
  const some = (list: string[]) => list.slice(0, 5).join(', ') + (list.length > 5 ? ' …' : '');
  const none = (list: string[], what: string) =>
    unless(list.length === 0, `${list.length} ${what}: ${some(list)}`);
  none(missingOf(facts), 'messages were acknowledged and have no effect');
  none(repeatedOf(facts), 'effects are there more than once');
  none(turnedOf(facts), 'effects did not follow upon the one before');
  unless(facts.lettersLeft === 0, `${facts.lettersLeft} dead letters are left`);
  unless(facts.heldLeft === 0, `${facts.heldLeft} messages are still held`);
  none(facts.accidents, 'members ended otherwise than they should have');
  for (const kind of demands.poison) {
    const poison = facts.poison.find((one) => one.kind === kind);
    unless(poison?.parked === 1, `"${kind}" is parked ${poison?.parked ?? 0} times`);
    const ms = poison?.nextAfterMs ?? Infinity;
    unless(ms <= POISON_DEADLINE_MS, `the message behind "${kind}" was done after ${Math.round(ms)} ms`);
  }
  return found;
}

/** A run in which nothing happened shows nothing. */
export function vacuous(facts: RebalanceFacts, demands: RebalanceDemands): string[] {
  const least = (is: number, wanted: number, what: string) =>
    is >= wanted ? [] : [`only ${is} ${what}, ${wanted} are asked for: the run shows less than it should`];
  return [
    ...least(facts.lostAcks, demands.lostAcks, 'acknowledgements were lost'),
    ...least(facts.rebalances, demands.rebalances, 'rebalances'),
    ...least(facts.doubles, 1, 'messages came twice'),
    ...least(facts.held, 1, 'messages were held back'),
  ];
}

/** For a table. */
export function rebalanceRows(facts: RebalanceFacts): string[][] {
  const slowest = Math.max(0, ...facts.poison.map(({ nextAfterMs }) => nextAfterMs));
  return [
    ['what', 'count', 'may be'],
    ['acknowledged', String(facts.acknowledged.length), ''],
    ['acknowledged, without effect', String(missingOf(facts).length), '0'],
    ['effects more than once', String(repeatedOf(facts).length), '0'],
    ['effects out of order', String(turnedOf(facts).length), '0'],
    ['acknowledgements lost', String(facts.lostAcks), ''],
    ['rebalances', String(facts.rebalances), ''],
    ['messages that came again', String(facts.doubles), ''],
    ['messages held for a while', String(facts.held), ''],
    ['kinds of poison parked', String(facts.poison.filter(({ parked }) => parked === 1).length), ''],
    ['slowest message behind poison', `${Math.round(slowest)} ms`, `${POISON_DEADLINE_MS} ms`],
  ];
}
