import { StackError } from '../stack/stack.ts';
import { container, USAGE as CONTAINER_USAGE } from './container/container.ts';
import { controls, CONTROLS_USAGE } from './controls/controls.ts';
import { crashPoints, USAGE as CRASH_USAGE } from './crash-points/crash-points.ts';
import { UsageError, type Kind } from './kind.ts';
import { rebalance, REBALANCE_USAGE } from './rebalance/rebalance.ts';
import { outbox, OUTBOX_USAGE } from './outbox/outbox.ts';
import { quick } from './quick.ts';
import { rolling, USAGE } from './rolling/rolling.ts';
import { scaled, SCALED_USAGE } from './scaled/scaled.ts';
import { scheduler, SCHEDULER_USAGE } from './scheduler/scheduler.ts';
import { simulation, SIMULATION_USAGE } from './simulation.ts';
import { SOAK_USAGE } from './soak/soak-settings.ts';
import { soak } from './soak/soak.ts';

/** `npm run chaos -- <kind>`. Each brings up its own engines, breaks something under load, and counts what it cost. */
const KINDS: Record<string, Kind> = {
  container: {
    does: 'orders in a real container of 256 MiB and half a processor, under load (needs Docker)',
    usage: CONTAINER_USAGE,
    run: container,
  },
  'crash-points': {
    does: 'SIGKILL at every step from the order to the e-mail: nothing lost, nothing doubled, settled within 10 s',
    usage: CRASH_USAGE,
    run: crashPoints,
  },
  rebalance: {
    does: 'a group of consumers that come, go, die and hang, lost acknowledgements, poison: nothing lost, doubled or out of order',
    usage: REBALANCE_USAGE,
    run: rebalance,
  },
  outbox: {
    does: 'eight writers and two relays, of which the one that publishes is killed and paused: order per key, nothing lost',
    usage: OUTBOX_USAGE,
    run: outbox,
  },
  controls: {
    does: 'takes each guard out in turn: the test that is there for it must fail',
    usage: CONTROLS_USAGE,
    run: controls,
  },
  rolling: {
    does: 'two replicas of orders behind a balancer, restarted under load: not one request may fail',
    usage: USAGE,
    run: rolling,
  },
  scaled: {
    does: 'three replicas of orders in containers behind HAProxy, killed under load: not one request may fail (needs Docker)',
    usage: SCALED_USAGE,
    run: scaled,
  },
  scheduler: {
    does: 'three schedulers with clocks ten minutes apart, killed, paused and cut off: each tick has its effect once',
    usage: SCHEDULER_USAGE,
    run: scheduler,
  },
  simulation: {
    does: 'services, relay and delivery in process on a virtual clock: thousands of seeds, and planted bugs (no engines)',
    usage: SIMULATION_USAGE,
    run: simulation,
  },
  soak: {
    does: 'orders for two minutes while everything breaks; then the audit: nothing lost, doubled or stuck',
    usage: SOAK_USAGE,
    run: soak,
  },
};

const QUICK = ['crash-points', 'soak', 'outbox', 'rebalance', 'scheduler'];
KINDS['quick'] = {
  does: `${QUICK.join(', ')}, each with --quick; also as: npm run chaos -- --quick`,
  usage: '',
  run: () => quick(QUICK),
};

const [given = '', ...args] = process.argv.slice(2);
const name = given === '--quick' ? 'quick' : given;
const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
if (!kind) {
  if (name && name !== '--help') console.error(`no chaos "${name}".`);
  console.error('npm run chaos -- <kind>. There are:');
  for (const [known, { does, usage }] of Object.entries(KINDS))
    console.error(`  ${known} ${usage}\n    ${does}`);
  process.exit(2);
}
process.exitCode = await kind.run(args).catch((error: unknown) => {
  if (isUsage(error)) {
    console.error(`✗ ${error.message}\nnpm run chaos -- ${name} ${kind.usage}`);
    return 2;
  }
  console.error(`\n✗ ${error instanceof StackError ? error.message : (error as Error).stack}`);
  return 1;
});
// Whatever still holds the event loop must not keep the terminal.
process.exit();

function isUsage(error: unknown): error is Error {
  return (
    error instanceof UsageError || String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS')
  );
}
