import { setTimeout as delay } from 'node:timers/promises';
import type { AppProcess } from '../../local/processes.ts';
import type { Proxy } from '../wire/proxy.ts';

export type Fault = {
  /** `mute` and `refuse` are the network between the replica and PostgreSQL. */
  kind: 'kill' | 'pause' | 'mute' | 'refuse' | 'downtime';
  /** Which replica; a downtime is of all. */
  replica: number;
  /** Since the fault before was healed, in ms. */
  afterMs: number;
  /** In ms. */
  holdMs: number;
};

const QUICK: Fault['kind'][] = ['kill', 'pause', 'mute', 'downtime'];
const FULL: Fault['kind'][] = [...QUICK, 'refuse', 'kill', 'pause', 'mute', 'kill'];
/** Past the session of a consumer, so that its partitions are another's when it wakes up. */
const LONG_PAUSE_MS = 12_000;

/** The faults of a seed, in an order of its own; the downtime comes last but one, so that something happens after it. */
export function faultsOf(random: () => number, quick: boolean, replicas: number): Fault[] {
  const kinds = shuffled(quick ? QUICK : FULL, random);
  kinds.splice(kinds.indexOf('downtime'), 1);
  kinds.splice(-1, 0, 'downtime');
  let paused = 0;
  return kinds.map((kind) => ({
    kind,
    replica: Math.floor(random() * replicas),
    afterMs: Math.round(500 + random() * 1500),
    holdMs:
      kind === 'downtime'
        ? Math.round(6000 + random() * 2000)
        : kind === 'pause' && !quick && paused++ === 0
          ? LONG_PAUSE_MS
          : Math.round(2000 + random() * 3000),
  }));
}

function shuffled<T>(items: T[], random: () => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
}

export type Victim = { process: AppProcess; postgres: Proxy };

/** Does it, holds it, heals it; resolves when all replicas are ready again. */
export async function play(
  { kind, replica, holdMs }: Fault,
  victims: Victim[],
  signal: AbortSignal,
): Promise<void> {
  const { process, postgres } = victims[replica]!;
  const hold = () => delay(holdMs, undefined, { signal });
  if (kind === 'kill') {
    await process.kill();
    await hold();
    await process.start();
  } else if (kind === 'pause') {
    process.pause();
    await hold().finally(() => process.resume());
  } else if (kind === 'mute' || kind === 'refuse') {
    await postgres[kind]();
    await hold().finally(() => postgres.pass());
  } else {
    await Promise.all(victims.map((victim) => victim.process.kill()));
    await hold();
    await Promise.all(victims.map((victim) => victim.process.start()));
  }
}
