import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { databaseUrl, FIXED_PORTS } from '../../local/apps.ts';
import { fetchToken } from '../../local/token.ts';
import { stackDir } from '../../stack/paths.ts';
import type { Project } from '../compose-project.ts';
import { seeded } from '../random.ts';
import { writeFindings } from '../load/findings.ts';
import { Ledger } from '../load/ledger.ts';
import type { LoadPhase } from '../load/judgement.ts';
import { startLoad } from '../load/load.ts';
import { RequestPlan } from '../load/requests.ts';
import { countOrders } from '../load/stored-orders.ts';
import { Timeline } from '../load/timeline.ts';
import { edgeStats, replicasIn, unasked, type EdgeStats } from './edge-stats.ts';

export const ORDERS = 3;
const STATS_URL = 'http://127.0.0.1:13100/;csv';
const POSTGRES_URL = 'postgres://cairn:cairn@127.0.0.1:15432';
const LONGEST_RETURN_MS = 90_000;

export type ScaledOptions = {
  project: Pick<Project, 'compose' | 'docker' | 'signal'>;
  /** Names its customer and its folder of findings. */
  name: string;
  kills: number;
  ratePerS: number;
  seed: number;
  /** How long the orders may take to be paid once the load is over. 0 where that is not asked. */
  settleMs: number;
  onProgress?: (text: string) => void;
};

export type Kill = { replica: string; outAfterMs: number; backAfterMs: number };

export type ScaledPhase = LoadPhase & {
  kills: Kill[];
  /** Attempts that the balancer made after one that failed. */
  retried: number;
};

/** Three replicas of orders behind the balancer under load, killed one after the other; then everything is counted. */
export async function scaledPhase(options: ScaledOptions): Promise<ScaledPhase> {
  const { name, seed, ratePerS, settleMs } = options;
  const began = performance.now();
  const nowMs = () => performance.now() - began;
  const [ledger, timeline] = [new Ledger(), new Timeline(nowMs)];
  const customer = `scaled-${name}-${seed}-${Date.now()}`;
  const token = await fetchToken(customer, 3600);
  const plan = new RequestPlan(`scaled-${name}`, seeded(seed));
  const kills: Kill[] = [];
  const before = await stats();
  const load = startLoad({
    ...{ port: FIXED_PORTS.orders, token, ratePerS, random: seeded(seed + 1), plan, nowMs },
    record: (outcome) => ledger.add(outcome, (from, to) => timeline.during(from, to)),
  });
  try {
    await killAll({ ...options, timeline, ledger, done: kills });
  } finally {
    await load.stop();
  }
  const after = await stats();
  const url = databaseUrl(POSTGRES_URL, 'orders');
  const orders = await countOrders(customer, plan.confirmed, { url, settleMs });
  const grown = (of: (stats: EdgeStats) => number) => of(after) - of(before);
  const phase = {
    ...ledger.summary(),
    ...{ name, kills, reasons: ledger.reasons(), orders },
    retried: grown(({ retries }) => retries['orders']!.retried + retries['orders']!.elsewhere),
    unready: grown((now) => unasked(now, 'orders')),
  };
  return writeFindings(join(stackDir('chaos'), 'scaled', name), phase, ledger, timeline);
}

async function stats(): Promise<EdgeStats> {
  return edgeStats(await (await fetch(STATS_URL)).text());
}

type Run = ScaledOptions & { timeline: Timeline; ledger: Ledger; done: Kill[] };

async function killAll(run: Run): Promise<void> {
  const { ledger, done, onProgress, project } = run;
  const progress = () =>
    onProgress?.(
      `${done.length}/${run.kills} killed, ${ledger.requests} requests, ${ledger.failures.length} failed`,
    );
  const timer = setInterval(progress, 500);
  try {
    const random = seeded(run.seed + 2);
    const ids = (await project.compose('ps', '--quiet', 'orders')).trim().split('\n');
    for (let i = 0; i < run.kills; i++) {
      // Load on all of them before each, and a death at any moment between two checks.
      await delay(1500 + 2000 * random(), undefined, { signal: project.signal });
      done.push(await kill(ids[i % ids.length]!, run));
    }
    await delay(1500, undefined, { signal: project.signal });
  } finally {
    clearInterval(timer);
    progress();
  }
}

/** SIGKILL for all of the container; it comes back once the balancer knows that it is gone, and all are in again. */
async function kill(id: string, { project, timeline }: Run): Promise<Kill> {
  const name = await project.docker('inspect', '--format', '{{.Name}}', id);
  const replica = name.trim().replace(/^\/?cairn-scaled-/, '');
  const told = timeline.mark(replica, 'SIGKILL').atMs;
  await project.docker('kill', '--signal', 'KILL', id);
  await until(project.signal, ORDERS - 1);
  const out = timeline.mark(replica, 'out').atMs;
  await project.docker('start', id);
  timeline.mark(replica, 'started');
  await until(project.signal, ORDERS);
  const back = timeline.mark(replica, 'back').atMs;
  return { replica, outAfterMs: out - told, backAfterMs: back - told };
}

/** Until the balancer has that many replicas of orders in. @throws Error after 90 s. */
async function until(signal: AbortSignal, replicas: number): Promise<void> {
  const late = performance.now() + LONGEST_RETURN_MS;
  for (;;) {
    const now = replicasIn(await stats(), 'orders');
    if (replicas < ORDERS ? now <= replicas : now === replicas) return;
    if (performance.now() > late)
      throw new Error(
        `edge had ${now} replicas of orders in, not ${replicas}, for ${LONGEST_RETURN_MS / 1000} s`,
      );
    await delay(100, undefined, { signal });
  }
}
