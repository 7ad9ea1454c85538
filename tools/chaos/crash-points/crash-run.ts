import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { readMessages } from '../../demo/topic.reader.ts';
import { databaseUrl } from '../../local/apps.ts';
import type { AppProcess } from '../../local/processes.ts';
import type { Stage } from '../../local/stage.ts';
import { fetchToken } from '../../local/token.ts';
import type { Intent } from '../audit/audit-books.ts';
import { BooksReader } from '../audit/audit.reader.ts';
import { audit } from '../audit/audit.ts';
import type { CrashPoint } from './crash-point-table.ts';
import { jobViolations, underWay, type CrashRun, type JobRun } from './crash-verdict.ts';
import { seeded, uuidOf } from '../random.ts';
import type { Journey } from '../soak/soak-plan.ts';
import { newTally, Shopper } from '../soak/soak-shopper.ts';
import type { WireWatch } from '../wire/wire-watch.ts';

/** One of the customers comes so often at first, until the point is hit. */
const EVERY_MS = 250;
const HIT_WITHIN_MS = 30_000;
/** Past this it is called lost. What takes longer than it may is told with its time until then. */
const SETTLE_WITHIN_MS = 30_000;
const POLL_MS = 50;
const CUSTOMERS = 3;
const LOOKS = 4;
/** Long enough for most orders to be paid by then, so that there is something to give back. */
const CANCEL_AFTER_MS = 2000;

type Books = { intents: Intent[]; mails: string[]; violations: Set<string> };

/** Crashes one app after the other at one point after the other, on the same stage and the same growing books. */
export class CrashSeries {
  readonly #stage: Stage;
  readonly #watches: Map<string, WireWatch>;
  readonly #reader: BooksReader;
  readonly #books: Books = { intents: [], mails: [], violations: new Set() };

  /** `watches` by `app door`. */
  constructor(stage: Stage, watches: Map<string, WireWatch>) {
    this.#stage = stage;
    this.#watches = watches;
    this.#reader = new BooksReader(stage.launch);
  }

  /** One order all the way: what is started at its first use is not to be measured. */
  async warmUp(seed: number): Promise<void> {
    const shop = await this.#open({}, seeded(seed), `warm-up-${seed}`);
    shop.enter();
    await this.#settled(shop);
    this.#books.intents.push(...(await shop.close()));
    await this.#look();
  }

  async run(point: CrashPoint, run: number, seed: number): Promise<CrashRun> {
    const random = seeded(seed);
    // What a crash before this one has left must not be put down to this one.
    await this.#settled();
    const process = this.#stage.processes[point.app]!;
    await process.start();
    const crash = this.#ambush(point, process, Math.floor(random() * 3));
    const shop = await this.#open(point, random, `crash-${seed}`);
    const late = AbortSignal.any([this.#stage.signal, AbortSignal.timeout(HIT_WITHIN_MS)]);
    while (!crash.hit && !late.aborted) {
      shop.enter();
      // Less and less often: on a slow machine a crowd would only be in its own way.
      const gapMs = EVERY_MS * (0.5 + random()) * (1 + shop.entered / 4);
      await Promise.race([crash.done, delay(gapMs, undefined, { signal: late }).catch(() => undefined)]);
    }
    // Struck after this, it would stay dead.
    this.#watches.get(`${point.app} ${point.door}`)!.leave();
    const times: Times = crash.hit ? await this.#restart(process, shop) : {};
    this.#stage.signal.throwIfAborted();
    this.#books.intents.push(...(await shop.close()));
    const { found, mailsAgain } = await this.#look();
    return {
      ...{ point: point.name, run, seed, orders: shop.entered, found, mailsAgain },
      ...(crash.hit && { hit: crash.hit }),
      ...(times.readyMs !== undefined && { readyMs: times.readyMs }),
      ...(times.convergedMs !== undefined && { convergedMs: times.convergedMs }),
      jobs: point.app === 'scheduler' ? await this.#lookAtJobs(times.restartedAt) : [],
    };
  }

  /** Kills in the very moment, before anything else of that exchange can go on. */
  #ambush({ app, door, ...ambush }: CrashPoint, process: AppProcess, skip: number) {
    const struck = Promise.withResolvers<void>();
    const crash: { hit?: string; done: Promise<void> } = { done: struck.promise };
    const watch = this.#watches.get(`${app} ${door}`)!;
    const pid = process.pid!;
    watch.lie({
      ...ambush,
      skip,
      hit: ({ what }) => {
        globalThis.process.kill(-pid, 'SIGKILL');
        crash.hit = what.slice(0, 120);
        struck.resolve();
      },
    });
    return crash;
  }

  /** As a platform does: at once. One more customer comes when it is ready, and has to be served as well. */
  async #restart(process: AppProcess, shop: Shop): Promise<Times> {
    await process.kill();
    const restartedAt = new Date();
    const began = performance.now();
    await process.start();
    const readyMs = Math.round(performance.now() - began);
    shop.enter();
    if (!(await this.#settled(shop))) return { restartedAt, readyMs };
    return { restartedAt, readyMs, convergedMs: Math.round(performance.now() - began) };
  }

  /** False when something was still under way after all the time that there is. */
  async #settled(shop: Pick<Shop, 'waiting'> = { waiting: 0 }): Promise<boolean> {
    const giveUp = AbortSignal.any([this.#stage.signal, AbortSignal.timeout(SETTLE_WITHIN_MS)]);
    while (!giveUp.aborted) {
      if (shop.waiting === 0 && (await this.#underWay()).length === 0) return true;
      await delay(POLL_MS);
    }
    return false;
  }

  async #underWay(): Promise<string[]> {
    const [orders, payments, leftovers, sent] = await Promise.all([
      this.#reader.orders(),
      this.#reader.payments(),
      this.#reader.leftovers(),
      this.#ask<{ orderId: string; template: string }>(
        'notifications',
        `SELECT order_id AS "orderId", template FROM notification WHERE state = 'sent'`,
      ),
    ]);
    return underWay({ orders, payments, leftovers, sent });
  }

  /** What is new in everybody's books since the last look. */
  async #look(): Promise<Pick<CrashRun, 'found' | 'mailsAgain'>> {
    let books = { ...(await this.#reader.read()), intents: this.#books.intents };
    let violations = audit(books).violations;
    // The books are not read in one moment, and the clock goes on: what waits at one look is through at the next.
    for (let looks = 1; looks < LOOKS && violations.some(({ kind }) => kind === 'stuck'); looks++) {
      books = { ...(await this.#reader.read()), intents: this.#books.intents };
      violations = audit(books).violations;
    }
    const again = (mails: string[]) => mails.length - new Set(mails).size;
    const mailsAgain = again(books.mails) - again(this.#books.mails);
    const found = violations.filter(({ text }) => !this.#books.violations.has(text));
    for (const { text } of found) this.#books.violations.add(text);
    this.#books.mails = books.mails;
    return { found, mailsAgain };
  }

  async #lookAtJobs(restartedAt: Date | undefined): Promise<string[]> {
    let violations = await this.#jobs(restartedAt);
    // A tick that has only just been claimed is announced at the next look.
    for (let looks = 1; looks < LOOKS && violations.length > 0; looks++)
      violations = await this.#jobs(restartedAt);
    return violations;
  }

  async #jobs(restartedAt: Date | undefined): Promise<string[]> {
    const rows = await this.#ask<{ job: string; tick: Date }>('scheduler', 'SELECT job, tick FROM job_run');
    const messages = await readMessages(this.#stage.launch.engines['KAFKA_BROKERS']!.split(','), /^jobs$/);
    const events = messages.flatMap(({ value }) => {
      const event = JSON.parse(value ?? '{}') as { id: string; data: JobRun };
      return event.data ? [{ id: event.id, job: event.data.job, tick: event.data.tick }] : [];
    });
    const runs = rows.map(({ job, tick }) => ({ job, tick: tick.toISOString() }));
    return jobViolations(runs, events, restartedAt);
  }

  async #open({ flow }: Pick<CrashPoint, 'flow'>, random: () => number, prefix: string): Promise<Shop> {
    const { ports } = this.#stage.launch;
    const customers = Array.from({ length: CUSTOMERS }, (_, i) => `${prefix}-${i + 1}`);
    const issuer = `http://127.0.0.1:${ports.issuer}`;
    const tokens = new Map(
      await Promise.all(
        customers.map(async (one): Promise<[string, string]> => [one, await fetchToken(one, 3600, issuer)]),
      ),
    );
    const { signal, processes } = this.#stage;
    const options = {
      doors: [processes['orders']!.url],
      tokenOf: (customer: string) => tokens.get(customer)!,
      random,
      signal,
      tally: newTally(),
    };
    const done: Promise<Intent>[] = [];
    let waiting = 0;
    return {
      enter: () => {
        waiting += 1;
        const customer = customers[done.length % CUSTOMERS]!;
        const journey = journeyOf(`${prefix}-order-${done.length + 1}`, customer, random, flow);
        done.push(new Shopper(journey, options, 0).shop().finally(() => (waiting -= 1)));
      },
      get waiting() {
        return waiting;
      },
      get entered() {
        return done.length;
      },
      close: () => Promise.all(done),
    };
  }

  async #ask<Row extends object>(app: 'notifications' | 'scheduler', sql: string): Promise<Row[]> {
    const connectionString = databaseUrl(this.#stage.launch.engines['POSTGRES_URL']!, app);
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3000 });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }
}

type Times = { restartedAt?: Date; readyMs?: number; convergedMs?: number };
type Shop = { enter(): void; waiting: number; entered: number; close(): Promise<Intent[]> };

function journeyOf(id: string, customer: string, random: () => number, flow: CrashPoint['flow']): Journey {
  const quantity = 1 + Math.floor(random() * 4);
  return {
    ...{ id, customer, atMs: 0, draftId: uuidOf(random), key: `${id}-key`, email: `${customer}@example.com` },
    lines: [{ sku: 'TEA-01', name: 'Mountain tea', quantity, unitPrice: 890 }],
    ...{ currency: 'EUR', total: quantity * 890, cardToken: 'tok_visa', cardIsGood: true, twice: false },
    ...(flow === 'cancel' && { cancelAfterMs: CANCEL_AFTER_MS }),
  };
}
