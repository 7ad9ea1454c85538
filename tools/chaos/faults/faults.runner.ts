import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayAdmin } from '../../demo/gateway.client.ts';
import type { Stage } from '../../local/stage.ts';
import { hostAndPort } from '../../stack/decide.ts';
import type { Restartable } from '../../stack/restartable.ts';
import type { EngineName } from '../../stack/types.ts';
import { nameOf, type Fault, type FaultKind } from './faults.ts';
import type { Proxy } from '../wire/proxy.ts';

const RESET_EVERY_MS = 400;
const START_AGAIN_MS = 500;

/** What was done when, in ms since the load began. `error` tells what did not go as planned, and was tried again. */
export type FaultStep = { atMs: number; what: string; error?: string };

type Undo = () => void | Promise<void>;

/** Does to the stage what the schedule says, and undoes it. */
export class FaultRunner {
  /** Those in force, by what they are. */
  readonly active = new Set<string>();
  readonly steps: FaultStep[] = [];
  /** By process: how far its clock is off, in s, from its next start on. */
  readonly skewS: Map<string, number>;
  readonly #stage: Stage;
  readonly #nowMs: () => number;
  #healing = false;

  constructor(stage: Stage, skewS: Map<string, number>, nowMs: () => number) {
    this.#stage = stage;
    this.skewS = skewS;
    this.#nowMs = nowMs;
    for (const process of Object.values(stage.processes)) this.#supervise(process);
    this.#supervise(stage.simulators);
  }

  /**
   * All faults of the schedule, each at its time, or later where the one before it at the same place is not over: on a busy
   * machine what was ended takes its time to come back. Resolves when the last one is over.
   */
  async run(schedule: Fault[], signal: AbortSignal): Promise<void> {
    const last = new Map<string, Promise<void>>();
    const begun = schedule.map((fault) => {
      const one = this.#one(fault, last.get(fault.target), signal);
      last.set(fault.target, one);
      return one;
    });
    await Promise.all(begun);
  }

  /** Whatever is still broken is mended. Resolves when everything runs. */
  async heal(): Promise<void> {
    this.#healing = true;
    const { processes, proxies, stack, simulators } = this.#stage;
    for (const process of Object.values(processes)) process.resume();
    await Promise.all(
      Object.values(proxies).flatMap((links) => Object.values(links).map((one) => one.pass())),
    );
    const engines = (['postgres', 'redis', 'kafka', 's3', 'smtp'] as const).map((name) => stack.engine(name));
    await Promise.all([...engines, simulators].map((one) => this.#start(one)));
    await this.#gateway().heal();
    await Promise.all(Object.values(processes).map((one) => this.#start(one)));
    this.active.clear();
    this.#note('healed');
  }

  async #one(fault: Fault, before: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
    await delay(Math.max(0, fault.atMs - this.#nowMs()), undefined, { signal });
    await before;
    const name = nameOf(fault);
    this.active.add(name);
    this.#note(name);
    const undo = await BEGIN[fault.kind](this.#scene(fault));
    try {
      await delay(fault.forMs, undefined, { signal });
    } finally {
      await undo();
    }
    this.active.delete(name);
    this.#note(`${name}: over`);
  }

  #scene(fault: Fault): Scene {
    const { processes, proxies, stack, simulators } = this.#stage;
    const [app, engine] = fault.target.split('→');
    return {
      fault,
      process: processes[app!]!,
      link: (engine !== undefined && proxies[app!]?.[engine as EngineName]) as Proxy,
      engine: () => stack.engine(fault.target as EngineName),
      redis: hostAndPort('redis', this.#stage.launch.engines['REDIS_URL']!),
      simulators,
      gateway: this.#gateway(),
      skew: (amount) => this.skewS.set(fault.target, amount),
      start: (one) => this.#start(one),
    };
  }

  /** Tries until it runs: an app does not become ready while what it needs is away. */
  async #start(one: Restartable): Promise<void> {
    while (!this.#stage.signal.aborted) {
      try {
        return await one.start();
      } catch (error) {
        this.#note(`${one.name} did not start`, (error as Error).message.split('\n')[0]);
        await delay(START_AGAIN_MS);
      }
    }
  }

  /** As a platform would: what ends by itself is started again. */
  #supervise(one: Restartable): void {
    one.onGone((how) => {
      if (this.#stage.signal.aborted) return;
      this.#note(`${one.name} ended by itself`, how);
      void delay(START_AGAIN_MS).then(() => (this.#healing ? undefined : this.#start(one)));
    });
  }

  #gateway(): GatewayAdmin {
    return new GatewayAdmin(`http://127.0.0.1:${this.#stage.launch.ports.gateway}`);
  }

  #note(what: string, error?: string): void {
    this.steps.push({ atMs: Math.round(this.#nowMs()), what, ...(error && { error }) });
  }
}

/** What a fault has to do with. */
type Scene = {
  fault: Fault;
  process: Restartable;
  link: Proxy;
  engine: () => Restartable;
  redis: { host: string; port: number };
  simulators: Restartable;
  gateway: GatewayAdmin;
  skew: (amountS: number) => void;
  start: (one: Restartable) => Promise<void>;
};

const BEGIN: Record<FaultKind, (scene: Scene) => Undo | Promise<Undo>> = {
  kill: ({ process, start }) => away(process, start),
  pause: ({ process }) => {
    process.pause();
    return () => process.resume();
  },
  clock: ({ process, start, skew, fault }) => {
    skew(fault.amount!);
    return away(process, start);
  },
  latency: ({ link, fault }) => {
    link.latency(fault.amount!, fault.amount! / 2);
    return () => link.pass();
  },
  reset: ({ link }) => {
    link.reset();
    const timer = setInterval(() => link.reset(), RESET_EVERY_MS);
    return () => clearInterval(timer);
  },
  cut: ({ link }) => {
    link.cut('response');
    return () => link.pass();
  },
  mute: ({ link }) => {
    link.mute();
    return () => link.pass();
  },
  'postgres-restart': ({ engine, start }) => away(engine(), start),
  'broker-restart': ({ engine, start }) => away(engine(), start),
  'redis-restart': ({ engine, start }) => away(engine(), start),
  flush: async ({ redis }) => {
    await flushAll(redis);
    return () => undefined;
  },
  's3-down': ({ engine, start }) => away(engine(), start),
  'smtp-down': ({ engine, start }) => inOrder(engine(), start),
  'gateway-down': ({ simulators, start }) => away(simulators, start),
  'gateway-errors': ({ gateway, fault }) =>
    misbehaves(gateway, { errorRate: fault.amount! / 2, errorAfterCaptureRate: fault.amount! / 2 }),
  'gateway-hangs': ({ gateway, fault }) =>
    misbehaves(gateway, { hangRate: fault.amount! / 2, hangAfterCaptureRate: fault.amount! / 2 }),
};

async function away(one: Restartable, start: Scene['start']): Promise<Undo> {
  await one.kill();
  return () => start(one);
}

/** The mail catcher keeps what it took in files, without syncing them: killed, it would lose mails that are not ours to lose. */
async function inOrder(one: Restartable, start: Scene['start']): Promise<Undo> {
  await one.stop();
  return () => start(one);
}

async function misbehaves(gateway: GatewayAdmin, faults: Record<string, number>): Promise<Undo> {
  await gateway.faults(faults);
  return () => gateway.heal();
}

async function flushAll(redis: { host: string; port: number }): Promise<void> {
  const socket = connect(redis);
  try {
    await once(socket, 'connect');
    socket.write('FLUSHALL\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    if (!reply.toString().startsWith('+OK')) throw new Error(`Redis answered FLUSHALL with ${String(reply)}`);
  } finally {
    socket.destroy();
  }
}
