import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseUrl, type LaunchOptions } from '../../local/apps.ts';
import { fetchToken } from '../../local/token.ts';
import { stackDir } from '../../stack/paths.ts';
import { startBalancer, type Balancer } from './balancer.ts';
import { writeFindings } from '../load/findings.ts';
import { Ledger } from '../load/ledger.ts';
import type { LoadPhase } from '../load/judgement.ts';
import { startLoad } from '../load/load.ts';
import { seeded } from '../random.ts';
import { OrdersReplica, type Leaving } from './replicas.ts';
import { RequestPlan } from '../load/requests.ts';
import { countOrders, type OrderCounts } from '../load/stored-orders.ts';
import { Timeline } from '../load/timeline.ts';

export type PhaseOptions = {
  launch: LaunchOptions;
  /** Names its customer, its folder of findings and its logs. */
  name: string;
  leaving: Leaving;
  restarts: number;
  ratePerS: number;
  seed: number;
  probeMs: number;
  /** Goes on under load until this many requests were sent. */
  leastRequests?: number;
  /** How long the orders may take to be paid once the load is over. 0 where that is not asked. */
  settleMs: number;
  signal?: AbortSignal;
  /** Called at every step with how far it is. */
  onProgress?: (text: string) => void;
};

export type Restart = {
  replica: string;
  outAfterMs?: number;
  goneAfterMs: number;
  backAfterMs: number;
  how: string;
};

export type Phase = LoadPhase & { restarts: Restart[] };

/** Two replicas behind a balancer, under load, restarted one after the other; then everything is counted. */
export async function rollingPhase(options: PhaseOptions): Promise<Phase> {
  const { launch, name, seed } = options;
  const began = performance.now();
  const nowMs = () => performance.now() - began;
  const [ledger, timeline] = [new Ledger(), new Timeline(nowMs)];
  const customer = `chaos-${name}-${seed}-${Date.now()}`;
  const token = await fetchToken(customer, 3600, `http://127.0.0.1:${launch.ports.issuer}`);
  const plan = new RequestPlan(`chaos-${name}`, seeded(seed));
  const replicas = await OrdersReplica.of([`${name}-a`, `${name}-b`], launch, options.leaving);
  const restarts: Restart[] = [];
  let balancer: Balancer | undefined;
  let unready = 0;
  let orders: OrderCounts;
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
    balancer = await startBalancer({
      replicas,
      probeMs: options.probeMs,
      onChange: (replica, change, why) => timeline.mark(replica, change, change === 'out' ? why : ''),
      onOpen: () => unready++,
      onFailure: (failure) => ledger.upstreamFailed(failure),
    });
    for (const replica of replicas) await balancer.until(replica.name, 'in');
    const load = startLoad({
      ...{ port: balancer.port, token, ratePerS: options.ratePerS, random: seeded(seed + 1), plan, nowMs },
      record: (outcome) => ledger.add(outcome, (from, to) => timeline.during(from, to)),
    });
    try {
      await restartAll({ ...options, replicas, balancer, timeline, ledger, done: restarts });
    } finally {
      await load.stop();
    }
    const url = databaseUrl(launch.engines['POSTGRES_URL']!, 'orders');
    orders = await countOrders(customer, plan.confirmed, { url, settleMs: options.settleMs });
  } finally {
    await balancer?.close();
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
  const phase = { ...ledger.summary(), name, restarts, reasons: ledger.reasons(), orders, unready };
  return writeFindings(join(stackDir(launch.stack), 'rolling', name), phase, ledger, timeline);
}

type Run = PhaseOptions & {
  replicas: OrdersReplica[];
  balancer: Balancer;
  timeline: Timeline;
  ledger: Ledger;
  done: Restart[];
};

async function restartAll(run: Run): Promise<void> {
  const { replicas, ledger, done, onProgress, signal, leastRequests = 0 } = run;
  const progress = () =>
    onProgress?.(
      `${done.length}/${run.restarts} restarts, ${ledger.requests} requests, ${ledger.failures.length} failed`,
    );
  const timer = setInterval(progress, 500);
  try {
    const random = seeded(run.seed + 2);
    for (let i = 0; i < run.restarts; i++) {
      // Load on both before each, and a signal at any moment between two probes: right before one is easy to survive.
      await delay(run.probeMs * (0.5 + random()), undefined, { signal });
      // As a deployment does: the next one only while all are available.
      for (const { name } of replicas) await run.balancer.until(name, 'in');
      done.push(await restart(replicas[i % replicas.length]!, run));
    }
    while (ledger.requests < leastRequests) await delay(100, undefined, { signal });
  } finally {
    clearInterval(timer);
    progress();
  }
}

async function restart(replica: OrdersReplica, { balancer, timeline, leaving }: Run): Promise<Restart> {
  const { name } = replica;
  const told = timeline.mark(name, leaving.signal).atMs;
  const how = await replica.leave();
  const gone = timeline.mark(name, 'gone').atMs;
  await replica.start();
  timeline.mark(name, 'ready');
  await balancer.until(name, 'in');
  const out = timeline.first(name, 'out', told);
  const back = timeline.mark(name, 'back').atMs;
  return {
    replica: name,
    ...(out !== undefined && { outAfterMs: out - told }),
    goneAfterMs: gone - told,
    backAfterMs: back - told,
    how,
  };
}
