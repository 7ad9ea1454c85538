import type { OutboxRow } from '@cairn/messaging';
import type { Kernel } from './kernel.ts';
import type { Process } from './process.ts';

/** A message as the broker keeps it. */
export type Message = {
  topic: string;
  partition: number;
  offset: string;
  key: Buffer;
  value: Buffer;
};

export type Place = { topic: string; partition: number };
export type Assigned = { generation: number; places: Place[] };
export type Member = { process: Process; topics: string[]; assigned: (assignment: Assigned) => void };

/** How long a member may be silent before its partitions go to others. In ms. */
export const SESSION_MS = 4000;

/** A Kafka in memory: partitioned logs, and groups with generations and committed offsets. */
export class MemoryBroker {
  readonly #kernel: Kernel;
  readonly #partitions: Record<string, Message[][]>;
  readonly #placeOfKey = new Map<string, number>();
  readonly groups = new Map<string, Group>();
  /** By `<group>/<topic>/<partition>/<offset>`: parked twice is one letter. */
  readonly letters = new Map<string, { group: string; message: Message }>();
  #waiting: (() => void)[] = [];

  constructor(kernel: Kernel, topics: Record<string, number>) {
    this.#kernel = kernel;
    this.#partitions = Object.fromEntries(
      Object.entries(topics).map(([topic, count]) => [topic, Array.from({ length: count }, () => [])]),
    );
  }

  logs(topic: string): Message[][] {
    return this.#partitions[topic] ?? [];
  }

  append({ topic, key, event }: Pick<OutboxRow, 'topic' | 'key' | 'event'>): void {
    const partition = this.#partitionOf(topic, key);
    const log = this.logs(topic)[partition]!;
    const value = Buffer.from(JSON.stringify(event));
    log.push({ topic, partition, offset: String(log.length), key: Buffer.from(key), value });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Some messages from this offset on; waits for the first, as a long poll does. */
  async fetch({ topic, partition }: Place, offset: number): Promise<Message[]> {
    const log = this.logs(topic)[partition]!;
    while (log.length <= offset) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return log.slice(offset, offset + 1 + this.#kernel.below(4));
  }

  group(id: string): Group {
    let group = this.groups.get(id);
    if (!group) this.groups.set(id, (group = new Group(this.#kernel, (topic) => this.logs(topic).length)));
    return group;
  }

  /** How many messages a group has never committed. */
  lag(id: string, topics: string[]): number {
    const group = this.group(id);
    return topics
      .flatMap((topic) =>
        this.logs(topic).map((log, partition) => log.length - group.furthest({ topic, partition })),
      )
      .reduce((sum, each) => sum + each, 0);
  }

  /** Like a hash of the key, but not of its value: that is random. */
  #partitionOf(topic: string, key: string): number {
    const known = this.#placeOfKey.get(key);
    if (known !== undefined) return known % this.logs(topic).length;
    const place = this.#kernel.below(1000);
    this.#placeOfKey.set(key, place);
    return place % this.logs(topic).length;
  }
}

/** A consumer group. A member that was not told of a new generation yet works on, and its commits are refused. */
export class Group {
  readonly #kernel: Kernel;
  readonly #partitionsOf: (topic: string) => number;
  readonly #members = new Set<Member>();
  readonly #offsets = new Map<string, number>();
  /** The furthest that was ever committed: a late commit may take an offset back, which only repeats messages. */
  readonly #furthest = new Map<string, number>();
  #generation = 0;

  constructor(kernel: Kernel, partitionsOf: (topic: string) => number) {
    this.#kernel = kernel;
    this.#partitionsOf = partitionsOf;
  }

  has(member: Member): boolean {
    return this.#members.has(member);
  }

  join(member: Member): void {
    if (this.#members.has(member)) return;
    this.#members.add(member);
    member.process.atDeath(() => void this.#kernel.after(SESSION_MS, undefined, () => this.leave(member)));
    this.rebalance();
  }

  leave(member: Member): void {
    if (this.#members.delete(member)) this.rebalance();
  }

  /** The members of a process that was silent for too long. */
  expel(process: Process): void {
    for (const member of [...this.#members]) if (member.process === process) this.leave(member);
  }

  rebalance(): void {
    const generation = ++this.#generation;
    const members = [...this.#members];
    const topics = [...new Set(members.flatMap((member) => member.topics))];
    const places = topics.flatMap((topic) =>
      Array.from({ length: this.#partitionsOf(topic) }, (_, partition) => ({ topic, partition })),
    );
    members.forEach((member, index) => {
      const own = places.filter((_, place) => (place + generation) % members.length === index);
      this.#kernel.after(this.#kernel.between(5, 1500), member.process, () => {
        if (this.#generation === generation) member.assigned({ generation, places: own });
      });
    });
  }

  offset({ topic, partition }: Place): number {
    return this.#offsets.get(`${topic}/${partition}`) ?? 0;
  }

  furthest({ topic, partition }: Place): number {
    return this.#furthest.get(`${topic}/${partition}`) ?? 0;
  }

  /** @throws for a member of another generation, as Kafka does (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID) */
  commit(member: Member, generation: number, { topic, partition }: Place, offset: number): void {
    if (!this.#members.has(member) || generation !== this.#generation) {
      throw Object.assign(new Error('the coordinator is not aware of this member'), { stale: true });
    }
    this.#offsets.set(`${topic}/${partition}`, offset);
    this.#furthest.set(`${topic}/${partition}`, Math.max(offset, this.furthest({ topic, partition })));
  }
}
