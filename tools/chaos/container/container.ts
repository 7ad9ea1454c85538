import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { placesFrom } from '../../demo/places.ts';
import { ShopClient } from '../../demo/shop.client.ts';
import { table } from '../../local/tables.ts';
import { step } from '../../stack/progress.ts';
import { StackError } from '../../stack/types.ts';
import { onCompose, type Project } from '../compose-project.ts';
import { containerViolations, type Seen } from './container-verdict.ts';

export const USAGE = '[--quick]';

const PROJECT = 'cairn-container';
const SMALL = 'infra/compose/small-orders.yml';
const EXPECTED = { cpus: 0.5, memoryBytes: 256 * 2 ** 20, databasePool: 6, leastRequests: 1000 };
const AT_A_TIME = 64;
/** Orders in a real container of 256 MiB and half a processor, under load. 1 when anything is not as it must be. */
export async function container(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { quick: { type: 'boolean' } } });
  const seconds = values.quick ? 10 : 60;
  return onCompose({ name: PROJECT, over: [SMALL], up: ['orders'] }, async (project) => {
    const seen = await step(project.report, 'load', `${AT_A_TIME} customers for ${seconds} s`, () =>
      underLoad(seconds, project),
    );
    const wrong = containerViolations(seen, EXPECTED);
    tell(seen, wrong);
    return wrong.length > 0 ? 1 : 0;
  });
}

async function underLoad(seconds: number, { signal, compose, docker }: Project): Promise<Seen> {
  const id = (await compose('ps', '--quiet', 'orders')).trim();
  const inspect = async (format: string) => (await docker('inspect', '--format', format, id)).trim();
  const startedAt = await inspect('{{.State.StartedAt}}');
  const until = performance.now() + seconds * 1000;
  const goesOn = () => performance.now() < until && !signal.aborted;
  const count = { requests: 0, failed: 0 };
  let connections = 0;
  const watch = async () => {
    for (; goesOn(); await delay(500))
      connections = Math.max(connections, await connectionsOfOrders(compose));
  };
  await Promise.all([watch(), ...Array.from({ length: AT_A_TIME }, () => customer(goesOn, count))]);
  signal.throwIfAborted();
  const log = await docker('logs', id);
  const line = log.split('\n').find((one) => one.includes('"limits_detected"'));
  if (!line) throw new StackError('orders logged no limits_detected');
  return {
    ...count,
    connections,
    limits: JSON.parse(line) as Seen['limits'],
    oomKilled: (await inspect('{{.State.OOMKilled}}')) === 'true',
    restarted: (await inspect('{{.State.StartedAt}}')) !== startedAt,
    peakBytes: Number(await docker('exec', id, 'node', '-e', PEAK)),
  };
}

/** Drafts, confirms and reads, one order after the other. */
async function customer(goesOn: () => boolean, count: { requests: number; failed: number }): Promise<void> {
  const shop = await ShopClient.of(placesFrom(), `customer-${randomUUID()}`);
  const counted = async <T>(request: Promise<T>): Promise<T> => {
    count.requests++;
    return request;
  };
  const lines = [{ sku: 'TEA-01', name: 'Mountain tea', quantity: 2, unitPrice: 890 }];
  while (goesOn()) {
    try {
      const draftId = randomUUID();
      await counted(shop.saveDraft(draftId, { email: 'ada@example.com', currency: 'EUR', lines }));
      const order = await counted(shop.confirm(draftId, 'tok_visa', randomUUID()));
      for (let i = 0; i < 5; i++) await counted(shop.order(order.id));
    } catch {
      count.failed++;
    }
  }
}

async function connectionsOfOrders(compose: Project['compose']): Promise<number> {
  const sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orders'";
  const psql = ['psql', '--username=cairn', '--dbname=postgres', '--tuples-only', '--command', sql];
  return Number(await compose('exec', '--no-TTY', 'postgres', ...psql));
}

/** As the control group has counted it; cgroup v2's `memory.peak` is there from Linux 5.19 on. */
const PEAK = `const { existsSync, readFileSync } = require('node:fs');
  const places = ['memory.peak', 'memory/memory.max_usage_in_bytes'].map((file) => '/sys/fs/cgroup/' + file);
  const file = places.find((place) => existsSync(place));
  console.log(file ? readFileSync(file, 'utf8').trim() : NaN);`;

function tell(seen: Seen, wrong: string[]): void {
  const { limits } = seen;
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  console.log(
    `\n${table([
      ['', 'given', 'seen'],
      ['processors', `${EXPECTED.cpus}`, `${limits.cpus} (${limits.source})`],
      ['memory', mib(EXPECTED.memoryBytes), `${mib(limits.memory_bytes)}, peak ${mib(seen.peakBytes)}`],
      ['heap', 'below 85 % of it', mib(limits.heap_limit_bytes)],
      [
        'database pool',
        `${EXPECTED.databasePool}`,
        `${limits.database_pool}, ${seen.connections} in use at most`,
      ],
      ['requests', 'none failed', `${seen.requests}, ${seen.failed} failed`],
      ['killed or restarted', 'no', seen.oomKilled ? 'KILLED' : seen.restarted ? 'RESTARTED' : 'no'],
    ])}\n`,
  );
  for (const one of wrong) console.log(`✗ ${one}`);
  if (wrong.length === 0) console.log('✓ the limits were found, sizes follow them, and the load fits in');
}
