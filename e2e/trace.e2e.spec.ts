import { createEvent, outboxRow } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { beginTrace, spansOf, type StoredSpan } from '@cairn/tools/demo/traces.client.ts';
import type { ShopClient } from '@cairn/tools/demo/shop.client.ts';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { databaseUrl } from '@cairn/tools/local/apps.ts';
import { merge, sumOf } from '@cairn/tools/observability/exposition.ts';
import { differences, metricsOf } from '@cairn/tools/observability/metrics-table.ts';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { hasMoved, isIdle, notMoved, scrape } from './order-metrics.ts';
import { mistakesOf } from './order-trace.ts';
import { DRAFT, mailsFor, orderReaches, placeOrder, startSystem, type System } from './system.ts';

/** Real: the whole system, its exporters, and the simulators' trace store, which keeps what they send. */
let system: System;
let shop: ShopClient;
let store: string;
beforeAll(async () => {
  system = await startSystem();
  store = `http://127.0.0.1:${system.launch.ports.traces}`;
  shop = await system.customer();
}, 60_000);
afterAll(() => system?.stop());

const scrapeAll = () => scrape(system.launch.ports);

async function placeTraced(own = beginTrace(), correlationId = randomUUID()) {
  const draftId = randomUUID();
  await shop.saveDraft(draftId, DRAFT);
  const headers = { traceparent: own.traceparent, 'x-correlation-id': correlationId };
  const { id } = await shop.confirm(draftId, 'tok_visa', randomUUID(), undefined, headers);
  return { id, own, correlationId };
}

async function settle(id: string) {
  await orderReaches(shop, id, 'paid');
  await mailsFor(shop, id, 'receipt');
}

describe('one order', () => {
  it('is one trace, from the request to the e-mail, and moves the metrics by one', async () => {
    // The first one wakes everything up: pools, connections, and the series that begin with their first sample.
    await settle((await placeOrder(shop)).id);
    const before = await waitFor('the first order to be done', async () => {
      const now = await scrapeAll();
      return hasMoved(now) && isIdle(now) ? now : undefined;
    });

    const { id, own, correlationId } = await placeTraced();
    await settle(id);
    let mistakes: string[] = [];
    await waitFor(
      'the metrics to move',
      async () => ((mistakes = notMoved(before, await scrapeAll())).length === 0 ? true : undefined),
      { timeoutMs: 10_000, seen: () => mistakes.join('\n') },
    );

    let spans: StoredSpan[] = [];
    const whole = async () => {
      spans = await spansOf(own.traceId, store);
      mistakes = mistakesOf(spans, { spanId: own.spanId, correlationId });
      return mistakes.length === 0 ? true : undefined;
    };
    await waitFor('the trace', whole, { timeoutMs: 20_000, seen: () => mistakes.join('\n') });
    expect([...new Set(spans.map(({ resource }) => resource['service.name']))].sort()).toEqual([
      'notifications',
      'orders',
      'payments',
      'worker',
    ]);

    // Had a consumer begun a trace of its own, that would have the correlation id, too.
    const found = await fetch(`${store}/traces?attribute=correlation_id:${correlationId}`);
    const { traces } = (await found.json()) as { traces: { traceId: string }[] };
    expect(traces.map(({ traceId }) => traceId)).toEqual([own.traceId]);
  }, 60_000);

  it('waits in the outbox while nobody may publish, and the metrics say so', async () => {
    const database = new pg.Client(databaseUrl(system.launch.engines['POSTGRES_URL']!, 'orders'));
    await database.connect();
    try {
      await database.query(
        `UPDATE outbox_lease SET holder = 'trace.e2e.spec', epoch = epoch + 1,
           expires_at = clock_timestamp() + interval '1 minute'`,
      );
      const { id } = await placeTraced();
      const outbox = async () => {
        const { orders } = await scrapeAll();
        return { depth: sumOf(orders, 'outbox_depth'), ageS: sumOf(orders, 'outbox_oldest_age_seconds') };
      };
      const waiting = await waitFor('a row to wait for a second', async () => {
        const now = await outbox();
        return now.ageS > 1 ? now : undefined;
      });
      expect(waiting.depth).toBe(1);
      await database.query('DELETE FROM outbox_lease');
      await settle(id);
      await waitFor('the outbox to be empty', async () => ((await outbox()).depth === 0 ? true : undefined));
      expect(await outbox()).toEqual({ depth: 0, ageS: 0 });
    } finally {
      await database.end();
    }
  }, 60_000);
});

/** What only the code promises: whether they are seen depends on what ran on these engines before, and when. */
const MAY_BE_UNSEEN = [
  'payments_reconcile_findings_total',
  'jobs_missed_total',
  'jobs_overdue_total',
  'telemetry_scrape_failures_total',
  'tls_certificate_remaining_ratio', // this system speaks no TLS; mutual-tls.e2e.spec.ts sees it
];

describe('the metrics ports', () => {
  const table = metricsOf(readFileSync(new URL('../docs/observability.md', import.meta.url), 'utf8'));

  it('say what docs/observability.md says, which is all that dashboards and alerts may ask for', async () => {
    const broker = new Broker({ brokers: system.places.brokers, clientId: 'trace-e2e' });
    try {
      const context = {
        type: 'payment.succeeded.v1',
        source: '/test',
        subject: randomUUID(),
        time: new Date(),
      };
      const nonsense = createEvent({ ...context, data: { nonsense: true } });
      const tooEarly = createEvent({ ...context, subject: randomUUID(), sequence: 2, data: {} });
      await broker.publish([outboxRow('payments', nonsense), outboxRow('payments', tooEarly)]);
    } finally {
      await broker.close();
    }
    const counted = async () => {
      const now = await scrapeAll();
      const counters = ['messaging_dead_letters_total', 'messaging_out_of_order_total'];
      return counters.every((counter) => sumOf(now.orders, counter) > 0) ? now : undefined;
    };
    const scraped = merge(Object.values(await waitFor('a dead letter, and an event that is held', counted)));
    expect(differences(table, scraped)).toEqual([]);
    const unseen = table.filter(({ name }) => !scraped.has(name)).map(({ name }) => name);
    expect(unseen.filter((name) => !MAY_BE_UNSEEN.includes(name))).toEqual([]);
  }, 30_000);
});
