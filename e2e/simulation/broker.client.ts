import type { Delivery, OutboxRow } from '@cairn/messaging';
import type { MemoryBroker, Assigned, Member, Message, Place } from './broker.memory.ts';
import type { Bug } from './bugs.ts';
import type { Kernel } from './kernel.ts';
import type { Network } from './network.ts';
import type { Process } from './process.ts';

const lost = (why: string) => Object.assign(new Error(`broker: ${why}`), { code: 'ECONNRESET' });

export type BrokerClient = {
  kernel: Kernel;
  network: Network;
  process: Process;
  broker: MemoryBroker;
  bug: Bug | undefined;
};

/** One send at a time, two attempts, then it gives up: what publisher.kafka.ts makes of kafkajs. */
export function publisher({ network, process, broker, kernel, bug }: BrokerClient) {
  let sending: Promise<unknown> = Promise.resolve();
  const send = async (rows: OutboxRow[], attempts: number): Promise<void> => {
    const what = `produce ${rows.map(({ event }) => `${event.type}/${event.sequence ?? ''}`).join()}`;
    try {
      await network.call({ from: process, to: 'broker', what, timeoutMs: 800, lost }, () => {
        for (const row of rows) broker.append(row);
      });
    } catch (error) {
      // The broker takes the retry for the sequence number that it has seen last, and acknowledges it.
      if (bug === 'lost-ack') return;
      if (attempts <= 1) throw error;
      await kernel.sleep(100, process);
      await send(rows, attempts - 1);
    }
  };
  return (rows: OutboxRow[]): Promise<void> => {
    const sent = sending.then(() => send(rows, 2));
    sending = sent.catch(() => undefined);
    return sent;
  };
}

/** Keeps a message that is parked. */
export function parker({ network, process, broker }: BrokerClient, group: string) {
  return (message: Message): Promise<void> => {
    const { topic, partition, offset } = message;
    const what = `park ${topic}/${partition}/${offset}`;
    return network.call({ from: process, to: 'broker', what, lost }, () => {
      broker.letters.set(`${group}/${topic}/${partition}/${offset}`, { group, message });
    });
  };
}

/** A member of a group: fetch, hand to the real `Delivery`, commit. What consumer.kafka.ts makes of kafkajs. */
export class MemoryConsumer implements Member {
  readonly process: Process;
  readonly topics: string[];
  readonly #client: BrokerClient;
  readonly #groupId: string;
  readonly #delivery: Delivery;
  readonly #stop = new AbortController();
  #generation = -1;

  constructor(client: BrokerClient, groupId: string, topics: string[], delivery: Delivery) {
    this.#client = client;
    this.process = client.process;
    this.topics = topics;
    this.#groupId = groupId;
    this.#delivery = delivery;
  }

  /** Joins, and joins again whenever it finds that it was expelled: once per heartbeat. */
  async start(): Promise<void> {
    const { kernel, broker, process } = this.#client;
    while (!this.#stop.signal.aborted) {
      if (!broker.group(this.#groupId).has(this))
        await this.#ask('join', () => broker.group(this.#groupId).join(this));
      await kernel.sleep(kernel.between(500, 1500), process);
    }
  }

  /** Leaves, as a process does that ends in order. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#generation = -1;
    await this.#ask('leave', () => this.#client.broker.group(this.#groupId).leave(this));
  }

  assigned({ generation, places }: Assigned): void {
    if (this.#stop.signal.aborted) return;
    const { kernel } = this.#client;
    kernel.say(
      `${this.process.name} has ${places.map(({ topic, partition }) => `${topic}/${partition}`).join(' ')}`,
    );
    this.#generation = generation;
    for (const place of places) void kernel.as(this.process, () => this.#consume(place, generation));
  }

  async #consume(place: Place, generation: number): Promise<void> {
    const { kernel, broker, process } = this.#client;
    const group = broker.group(this.#groupId);
    const stale = () => this.#generation !== generation;
    let offset = await this.#ask('offset', () => group.offset(place));
    let committed = true;
    while (!stale()) {
      const messages = offset === undefined ? [] : await this.#fetch(place, offset);
      if (offset === undefined) offset = await this.#ask('offset', () => group.offset(place));
      for (const message of messages) {
        if (stale()) return;
        if (this.#client.bug === 'commit-first')
          await this.#commit(place, generation, Number(message.offset) + 1);
        const pauseMs = await this.#delivery.handle(message, this.#stop.signal);
        if (pauseMs > 0) {
          await kernel.sleep(pauseMs, process);
          break;
        }
        offset = Number(message.offset) + 1;
        committed = false;
      }
      // One that was lost is sent again with the next batch, or when there is none.
      if (offset !== undefined && !committed) committed = await this.#commit(place, generation, offset);
    }
  }

  async #fetch(place: Place, offset: number): Promise<Message[]> {
    const { network, process, broker, kernel } = this.#client;
    const what = `fetch ${place.topic}/${place.partition} from ${offset}`;
    try {
      return await network.call({ from: process, to: 'broker', what, timeoutMs: 5000, lost }, () =>
        broker.fetch(place, offset),
      );
    } catch {
      await kernel.sleep(100, process);
      return [];
    }
  }

  async #commit(place: Place, generation: number, offset: number): Promise<boolean> {
    const group = this.#client.broker.group(this.#groupId);
    const done = await this.#ask(`commit ${place.topic}/${place.partition} ${offset}`, () => {
      group.commit(this, generation, place, offset);
      return true;
    });
    return done === true;
  }

  /** Undefined when there was no answer, or a refusal: then the next heartbeat or assignment puts it right. */
  async #ask<T>(what: string, work: () => T): Promise<T | undefined> {
    const { network, process } = this.#client;
    try {
      return await network.call({ from: process, to: 'broker', what, lost }, work);
    } catch (error) {
      this.#client.kernel.say(`${process.name} ${what}: ${(error as Error).message}`);
      return undefined;
    }
  }
}
