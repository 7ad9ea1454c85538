import { INBOX_TABLE, OUTBOX_PARKING, OUTBOX_TABLE, SEQUENCE_TABLES } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import kafkajs, { type Admin } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ensureDatabases } from '../../local/databases.ts';
import type { Stack } from '../../stack/types.ts';
import type { Proxy } from '../wire/proxy.ts';
import { ackLoser } from './rebalance-acks.ts';
import type { MemberOptions } from './rebalance-member.ts';
import { Members } from './rebalance-members.ts';
import { FEED_MS, partsOf, planOf, REBALANCES, type Churn, type Planned } from './rebalance-plan.ts';
import { poisoned } from './rebalance-poison.ts';
import { Publisher } from './rebalance-publish.ts';
import type { RebalanceFacts } from './rebalance-verdict.ts';

export type RunOptions = {
  messages: number;
  steps: Churn[];
  lostAcks: number;
  random: () => number;
  /** The guard that is left out. */
  without?: string | undefined;
  folder: string;
  signal: AbortSignal;
  onProgress: (text: string) => void;
};

const SUBJECTS = 40;
const PARTITIONS = 6;
const GROUP_MS = 30_000;
const SETTLE_MS = 30_000;
/** How long a member sleeps on after the group has given it up. */
const ASLEEP_MS = 1000;
const FIRST_MEMBERS = 3;

/** One group of consumers, its publisher, and what is done to them. */
export class RebalanceRun {
  readonly #options: RunOptions;
  readonly #db: pg.Pool;
  readonly #members: Members;
  readonly #member: MemberOptions;
  readonly #publisher: Publisher;
  readonly #admin: Admin;
  readonly #acks: ReturnType<typeof ackLoser>;
  #acknowledged: Planned[] = [];
  #rebalances = 0;

  private constructor(
    options: RunOptions,
    member: MemberOptions,
    { stack, proxy }: { stack: Stack; proxy: Proxy },
  ) {
    this.#options = options;
    this.#member = member;
    const { topic, postgres: connectionString, brokers } = member;
    this.#db = new pg.Pool({ connectionString, max: 8 });
    this.#db.on('error', () => {}); // a query that needs the connection says so itself
    this.#members = new Members(member, { guard: stack.guard, folder: options.folder });
    this.#acks = ackLoser(topic, { most: options.lostAcks, share: 0.2, random: options.random });
    proxy.intercept(this.#acks.tap);
    const door = `127.0.0.1:${proxy.port}`;
    this.#publisher = new Publisher(this.#db, { topic, door, serial: options.without !== 'serial' });
    const kafka = new kafkajs.Kafka({
      brokers,
      clientId: 'rebalance-watch',
      logLevel: kafkajs.logLevel.NOTHING,
    });
    this.#admin = kafka.admin();
  }

  /** A fresh database and a fresh topic; its members have joined when it resolves. */
  static async begin(options: RunOptions, engines: { stack: Stack; proxy: Proxy }): Promise<RebalanceRun> {
    const { POSTGRES_URL, KAFKA_BROKERS } = engines.stack.env;
    await ensureDatabases(POSTGRES_URL!, ['rebalance']);
    const postgres = new URL(POSTGRES_URL!);
    postgres.pathname = '/rebalance';
    const topic = `rebalance-${randomUUID()}`;
    const brokers = KAFKA_BROKERS!.split(',');
    const broker = new Broker({ brokers, clientId: 'rebalance-setup' });
    await broker.ensureTopics([topic], { partitions: PARTITIONS });
    await broker.close();
    const db = new pg.Client({ connectionString: postgres.href });
    await db.connect();
    await db.query(OUTBOX_TABLE + OUTBOX_PARKING + INBOX_TABLE + SEQUENCE_TABLES + EFFECT_TABLE);
    await db.end();
    const { without } = options;
    const run = new RebalanceRun(
      options,
      { brokers, postgres: postgres.href, topic, groupId: topic, without },
      engines,
    );
    await run.#admin.connect();
    for (let i = 0; i < FIRST_MEMBERS; i++) run.#members.start();
    await run.#group(FIRST_MEMBERS);
    return run;
  }

  /** Sends the messages while the group changes; then poison, when all is calm. */
  async play(): Promise<RebalanceFacts> {
    const { messages, steps, random, onProgress, signal } = this.#options;
    const plan = planOf(messages, { subjects: SUBJECTS, turned: 0.02, random });
    for (const [i, part] of partsOf(plan, steps).entries()) {
      signal.throwIfAborted();
      const step = steps[i]!;
      onProgress(`${step} (${i + 1} of ${steps.length}), ${this.#acks.counts().lost} acknowledgements lost`);
      await Promise.all([this.#feed(part, FEED_MS[step]), this.#churn(step)]);
      this.#rebalances += REBALANCES[step];
    }
    onProgress('settling');
    await this.#settled(this.#acknowledged);
    onProgress('poison');
    const { effects, ...found } = await poisoned({
      options: this.#member,
      until: (effect) => this.#settled([effect]),
    });
    this.#acknowledged.push(...effects);
    await this.#settled(effects);
    await this.#members.stop();
    return this.#facts(found);
  }

  async close(): Promise<void> {
    await this.#members.stop();
    await this.#publisher.stop();
    await this.#admin.disconnect();
    await this.#db.end();
  }

  async #facts(found: Pick<RebalanceFacts, 'poison' | 'lettersLeft' | 'accidents'>): Promise<RebalanceFacts> {
    const { said, accidents } = this.#members;
    const { rows: held } = await this.#db.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM inbox_held',
    );
    return {
      ...found,
      acknowledged: this.#acknowledged,
      effects: (await this.#db.query<Planned>('SELECT subject, n FROM effect ORDER BY id')).rows,
      lostAcks: this.#acks.counts().lost,
      rebalances: this.#rebalances,
      doubles: said.old,
      held: said.held,
      heldLeft: held[0]!.count,
      accidents: [...accidents, ...found.accidents],
    };
  }

  /** Over that time, and until the broker has acknowledged all of it. */
  async #feed(part: Planned[], overMs: number): Promise<void> {
    const { signal } = this.#options;
    const began = performance.now();
    for (const [i, planned] of part.entries()) {
      const dueInMs = began + (overMs * i) / part.length - performance.now();
      await delay(Math.max(0, dueInMs), undefined, { signal });
      await this.#publisher.put(planned);
    }
    await this.#until(
      async () => (await this.#publisher.waiting()) === 0,
      SETTLE_MS,
      'the outbox is not empty',
    );
    this.#acknowledged.push(...part);
  }

  async #churn(step: Churn): Promise<void> {
    const { live } = this.#members;
    const victim = live[Math.floor(this.#options.random() * live.length)]!;
    if (step === 'join') this.#members.start();
    if (step === 'leave') await this.#leave();
    if (step === 'kill') {
      this.#members.signal(victim, 'SIGKILL', 'SIGKILL');
      await victim.exited;
    }
    if (step === 'pause') {
      this.#members.signal(victim, 'SIGSTOP');
      await this.#group(live.length - 1);
      await delay(ASLEEP_MS);
      this.#members.signal(victim, 'SIGCONT');
    }
    await this.#group(this.#members.live.length);
  }

  /** SIGTERM in the middle of a handler: whoever has the slow message in hand goes, and somebody else gets it. */
  async #leave(): Promise<void> {
    const slow = { subject: `slow-${randomUUID()}`, n: 1 };
    const id = randomUUID();
    const started = this.#members.when('started', id);
    await this.#publisher.put(slow, { ms: 1500 }, id);
    const tooLate = delay(GROUP_MS, undefined, { signal: this.#options.signal, ref: false });
    // Without serial sends it may be lost on its way: then the oldest goes, and the verdict misses the message.
    const member = (await Promise.race([started, tooLate])) ?? this.#members.live[0]!;
    this.#members.signal(member, 'SIGTERM', 'exit code 0');
    await member.exited;
    this.#acknowledged.push(slow);
  }

  async #group(members: number): Promise<void> {
    const inOrder = async () => {
      const { groups } = await this.#admin.describeGroups([this.#member.groupId]);
      return groups[0]?.state === 'Stable' && groups[0].members.length === members;
    };
    await this.#until(inOrder, GROUP_MS, `the group has not ${members} members`);
  }

  /** Waits for these effects; what is missing after a while is missing, and the verdict says so. */
  async #settled(effects: Planned[]): Promise<void> {
    const wanted = JSON.stringify(effects);
    const count = async () => {
      const { rows } = await this.#db.query<{ missing: number }>(MISSING, [wanted]);
      return rows[0]!.missing === 0;
    };
    await this.#until(count, SETTLE_MS, 'effects are missing').catch((error: unknown) => {
      this.#options.signal.throwIfAborted();
      this.#options.onProgress(String(error));
    });
  }

  async #until(condition: () => Promise<boolean>, withinMs: number, otherwise: string): Promise<void> {
    const end = performance.now() + withinMs;
    while (!(await condition())) {
      this.#options.signal.throwIfAborted();
      if (performance.now() > end) throw new Error(`${otherwise} after ${withinMs / 1000} s`);
      await delay(20);
    }
  }
}

const EFFECT_TABLE = `
  CREATE TABLE effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL, n integer NOT NULL);
  CREATE INDEX ON effect (subject, n);`;

const MISSING = `
  SELECT count(*)::int AS missing FROM json_to_recordset($1) AS wanted (subject text, n integer)
  WHERE NOT EXISTS (SELECT FROM effect WHERE (effect.subject, effect.n) = (wanted.subject, wanted.n))`;
