import { createEvent } from '@cairn/messaging';
import { MemoryBroker, SESSION_MS } from './broker.memory.ts';
import type { Bug } from './bugs.ts';
import { Customer, type Replica } from './customer.ts';
import { Database } from './database.ts';
import { fetchFrom } from './gateway.fetch.ts';
import { MemoryGateway, type GatewayFaults } from './gateway.memory.ts';
import { Kernel } from './kernel.ts';
import { Network, type Climate } from './network.ts';
import { Process } from './process.ts';
import { startOrders, startPayments, type Running } from './services.ts';
import type { World } from './world.ts';

/** Everything that can go wrong by itself, and how often. */
export type Weather = Climate & { gateway: GatewayFaults; poison: number };

export const CALM: Weather = {
  loseRequest: 0,
  loseReply: 0,
  late: 0,
  twice: 0,
  crash: 0,
  freeze: 0,
  gateway: { before: 0, after: 0 },
  poison: 0,
};

const REPLICAS = {
  'orders-1': startOrders,
  'orders-2': startOrders,
  'payments-1': startPayments,
  'payments-2': startPayments,
};
const JOBS = ['expire-unpaid-orders', 'reconcile-payments'];
const TICK_MS = 2500;

/** Two replicas of orders and of payments, their engines, a clock that makes jobs due, and customers. */
export class System {
  readonly kernel: Kernel;
  readonly world: World;
  readonly customers: Customer[] = [];
  weather: Weather = CALM;
  readonly #running = new Map<string, Running>();
  #starts = 0;

  constructor(kernel: Kernel, bug?: Bug) {
    this.kernel = kernel;
    const network = new Network(kernel, () => this.weather, this);
    this.world = {
      kernel,
      network,
      broker: new MemoryBroker(kernel, { orders: 2, payments: 2, jobs: 1 }),
      gateway: new MemoryGateway(kernel, () => this.weather.gateway, bug),
      orders: new Database('postgres orders', kernel),
      payments: new Database('postgres payments', kernel),
      drafts: new Map(),
      poisoned: new Set(),
      bug,
    };
  }

  get fetch(): typeof globalThis.fetch {
    const { network, gateway, bug } = this.world;
    const processOf = (name: string) =>
      [...this.#running.values()].find(({ process }) => process.name === name)?.process;
    return fetchFrom(network, gateway, processOf, bug);
  }

  get processes(): Process[] {
    return [...this.#running.values()].map(({ process }) => process);
  }

  start(customers: number, withinMs: number): void {
    for (const slot of Object.keys(REPLICAS)) this.#start(slot);
    for (const job of JOBS)
      this.kernel.after(this.kernel.between(0, TICK_MS), undefined, () => this.#tick(job));
    for (let n = 1; n <= customers; n++) {
      const process = new Process(`customer-${n}`);
      const customer = new Customer(this.world, process, () => this.#replicas());
      this.customers.push(customer);
      this.kernel.after(this.kernel.between(0, withinMs), process, () => void customer.buy());
    }
    this.#operate();
  }

  /** SIGKILL; something starts it again. Customers are nobody's processes. */
  crash(process: Process, where: string): void {
    const slot = slotOf(process);
    if (process.state === 'dead' || !this.#running.has(slot)) return;
    this.kernel.say(`${process.name} is killed ${where}`);
    process.kill();
    this.#startSoon(slot);
  }

  /** SIGTERM, and SIGKILL when it takes too long. */
  terminate(process: Process): void {
    if (process.state !== 'up') return;
    this.kernel.say(`${process.name} is asked to end`);
    const gone = () => this.crash(process, 'at its end');
    this.kernel.after(5000, undefined, gone);
    void this.#running.get(slotOf(process))!.finish().then(gone);
  }

  /** SIGSTOP for so long; a group expels who is silent for a session. */
  freeze(process: Process, where: string): void {
    if (process.state !== 'up' || !this.#running.has(slotOf(process))) return;
    const ms = this.kernel.between(200, 9000);
    this.kernel.say(`${process.name} is stopped ${where} for ${Math.round(ms)} ms`);
    process.stop();
    if (ms > SESSION_MS) {
      this.kernel.after(SESSION_MS, undefined, () => {
        for (const group of this.world.broker.groups.values()) group.expel(process);
      });
    }
    this.kernel.after(ms, undefined, () => {
      if (process.state !== 'stopped') return;
      this.kernel.say(`${process.name} goes on`);
      process.continue();
    });
  }

  #startSoon(slot: string): void {
    this.kernel.after(this.kernel.between(100, 4000), undefined, () => this.#start(slot));
  }

  #start(slot: string): void {
    const process = new Process(`${slot}-${++this.#starts}`);
    this.kernel.say(`${process.name} starts`);
    this.#running.set(slot, REPLICAS[slot as keyof typeof REPLICAS](this.world, process));
  }

  #replicas(): Replica[] {
    return [...this.#running.values()].filter(({ service }) => service !== undefined);
  }

  /** What the scheduler does: a job is due, for whoever handles it. */
  #tick(job: string): void {
    const { broker } = this.world;
    const time = this.kernel.date();
    const data = { job, tick: time.toISOString() };
    const event = createEvent({ type: 'job.due.v1', source: '/scheduler', subject: job, time, data });
    broker.append({ topic: 'jobs', key: job, event });
    this.kernel.after(TICK_MS, undefined, () => this.#tick(job));
  }

  /** Somebody on call: now and then mends what handlers fail on, and replays what was parked. */
  #operate(): void {
    const { broker, poisoned } = this.world;
    const replay = async ([id, { group, message }]: [string, { group: string; message: never }]) => {
      const running = this.#running.get(`${group}-1`)!;
      if (running.process.state !== 'up') return;
      this.kernel.say(`replay ${id}`);
      await this.kernel
        .as(running.process, () => running.delivery.handleOnce(message))
        .then(
          () => broker.letters.delete(id),
          (error: Error) => this.kernel.say(`replay ${id}: ${error.message}`),
        );
    };
    this.kernel.after(this.kernel.between(1000, 6000), undefined, () => {
      if (this.weather.poison === 0 || this.kernel.chance(0.3)) poisoned.clear();
      for (const letter of broker.letters) void replay(letter as never);
      this.#operate();
    });
  }
}

const slotOf = ({ name }: Process) => name.replace(/-\d+$/, '');
