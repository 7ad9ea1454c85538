import type { Kernel } from './kernel.ts';
import { CALM, type System, type Weather } from './system.ts';

/** How long what is down stays down. In ms. */
const OUTAGE_MS: Record<string, [number, number]> = {
  'postgres orders': [100, 2500],
  'postgres payments': [100, 2500],
  broker: [100, 3000],
  redis: [100, 3000],
  gateway: [500, 6000],
};

/** Each seed has a weather of its own: most faults are off in most of them, so that the others show what they do. */
export function weatherOf(kernel: Kernel): Weather {
  const often = (most: number) => (kernel.chance(0.5) ? most * kernel.random() ** 2 : 0);
  return {
    loseRequest: often(0.05),
    loseReply: often(0.05),
    late: often(0.05),
    twice: often(0.1),
    crash: often(0.01),
    freeze: often(0.01),
    gateway: { before: often(0.3), after: often(0.3) },
    poison: often(1),
  };
}

/** Breaks one thing at a time, at random, until the weather is calm. */
export function breakThings(system: System, kinds = kindsOf(system.kernel)): void {
  const { kernel } = system;
  kernel.after(kernel.between(100, 2500), undefined, () => {
    if (system.weather === CALM) return;
    FAULTS[kernel.pick(kinds)]!(system);
    if (kernel.chance(system.weather.poison)) poisonOne(system);
    breakThings(system, kinds);
  });
}

/** All is well again: what is down comes back, who is stopped goes on. What was lost stays lost. */
export function heal(system: System): void {
  system.weather = CALM;
  system.world.network.down.clear();
  system.world.poisoned.clear();
  system.kernel.say('healed');
  for (const process of system.processes) process.continue();
}

const FAULTS: Record<string, (system: System) => void> = {
  kill: (system) => system.crash(system.kernel.pick(system.processes), 'from outside'),
  freeze: (system) => system.freeze(system.kernel.pick(system.processes), 'from outside'),
  terminate: (system) => system.terminate(system.kernel.pick(system.processes)),
  rebalance: ({ kernel, world }) => world.broker.group(kernel.pick(['orders', 'payments'])).rebalance(),
  flush: ({ world }) => world.drafts.clear(),
  outage: ({ kernel, world }) => {
    const what = kernel.pick(Object.keys(OUTAGE_MS));
    kernel.say(`${what} is down`);
    world.network.down.add(what);
    for (const database of [world.orders, world.payments]) if (database.name === what) database.restart();
    kernel.after(kernel.between(...OUTAGE_MS[what]!), undefined, () => {
      if (world.network.down.delete(what)) kernel.say(`${what} is back`);
    });
  },
};

function kindsOf(kernel: Kernel): string[] {
  const kinds = Object.keys(FAULTS).filter(() => kernel.chance(0.6));
  return kinds.length > 0 ? kinds : ['rebalance'];
}

/** A handler fails on one of the events that wait, or were handled last. */
function poisonOne({ kernel, world: { broker, poisoned } }: System): void {
  const last = ['orders', 'payments'].flatMap((topic) => broker.logs(topic).flatMap((log) => log.slice(-2)));
  if (last.length === 0) return;
  const event = JSON.parse(String(kernel.pick(last).value)) as { id: string };
  poisoned.add(event.id);
}
