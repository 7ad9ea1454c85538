import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { processRows, treeRss } from '../stack/processes.ts';
import { GatewayAdmin } from './gateway.client.ts';
import { followLog, type LogLine } from './log-lines.ts';
import { money } from './money.ts';
import type { Places } from './places.ts';
import { ShopClient } from './shop.client.ts';
import { verdict, type Seen } from './verdict.ts';

export type OutageOptions = {
  orders: number;
  /** The process of payments, and the file that it logs to. */
  payments: { pid: number; log: string };
  say: (line: string) => void;
  /** Ends it before its time; the gateway is mended all the same. */
  signal: AbortSignal;
  /** How long the circuit may take to open, and everything to be paid once the gateway is well. Default 25 s each. */
  patienceMs?: number;
};

const DRAFT = {
  email: 'ada@example.com',
  currency: 'EUR',
  lines: [{ sku: 'TEA-01', name: 'Mountain tea, 250 g', quantity: 1, unitPrice: 890 }],
};
const AT_A_TIME = 8;

// Every call hangs. Of half of them nobody can know it, but the money has moved.
const HANGS = { hangRate: 0.5, hangAfterCaptureRate: 1 };

/**
 * Makes the gateway hang in front of a number of orders, watches from outside what that does to payments (its log, its
 * memory), mends the gateway, and holds the orders against the gateway's ledger. True when all is well.
 */
export async function outage(places: Places, options: OutageOptions): Promise<boolean> {
  const { say, signal, payments, patienceMs = 25_000 } = options;
  const began = Date.now();
  const tell = (what: string, text: string) =>
    say(`${`+${String(Date.now() - began)} ms`.padStart(10)}  ${what.padEnd(10)} ${text}`);
  const log = followLog(payments.log);
  const watch = watchOf(log.lines);
  const rss = () => treeRss(processRows(), payments.pid);
  const rssDuringBytes: number[] = [];
  let mended = false;
  /** Looks again and again, at the memory as well; false when it did not come in time. */
  const until = async (come: () => boolean | Promise<boolean>) => {
    const end = Date.now() + patienceMs;
    for (;;) {
      signal.throwIfAborted();
      log.read();
      if (!mended) rssDuringBytes.push(rss());
      if (await come()) return true;
      if (Date.now() > end) return false;
      await delay(100, undefined, { signal }).catch(() => undefined);
    }
  };

  const gateway = new GatewayAdmin(places.gateway);
  const shop = await ShopClient.of(places, `outage-${randomUUID().slice(0, 8)}`);
  const faultsBefore = await gateway.readFaults();
  const rssBeforeBytes = rss();
  tell('before', `payments, pid ${payments.pid}, has ${mb(rssBeforeBytes)}`);
  const ids: string[] = [];
  try {
    await gateway.faults(HANGS);
    tell('break', 'the gateway hangs: no answer to any call, and of half of them the money has moved');
    const slowestMs = await placeAll(shop, options.orders, ids, signal);
    tell('orders', `${ids.length} orders are taken all the same, the slowest within ${slowestMs} ms`);

    const opened = await until(() => watch.changes().includes('circuit_open'));
    tell('circuit', opened ? 'open: payments has stopped calling' : 'not open');
    if (opened) {
      // One after the other runs into the open circuit.
      let [before, unchanged] = [0, 0];
      await until(() => {
        unchanged = watch.paused().length === before ? unchanged + 1 : 0;
        before = watch.paused().length;
        return before > 0 && unchanged >= 3;
      });
      tell('pause', watch.pauses());
      const again = () => watch.changes().filter((change) => change === 'circuit_open').length > 1;
      if (await until(again)) tell('probes', 'failed: half-open, and open again');
    }
    const { hung } = await gateway.ledgerOf();
    tell('outage', `payments has ${mb(rss())}; ${hung} calls hang at the gateway`);
  } finally {
    mended = true;
    await gateway.faults(faultsBefore);
    tell('mend', 'the gateway is as it was');
  }

  const closedAgain = await until(() => watch.changes().at(-1) === 'circuit_closed');
  tell('circuit', closedAgain ? 'closed again' : 'not closed again');
  let paid = 0;
  await until(async () => (paid = await countPaid(shop, ids)) === ids.length && watch.paused().length === 0);
  const ledgers = await Promise.all(ids.map((id) => gateway.ledgerOf(id)));
  const captured = ledgers.reduce((sum, { net }) => sum + (net['EUR'] ?? 0), 0);
  tell('paid', `${paid} of ${ids.length} orders; the gateway has ${money(captured, 'EUR')} of theirs`);
  const seen: Seen = {
    orders: options.orders,
    paid,
    charges: ledgers.map(({ charges }) => charges),
    opened: watch.changes().includes('circuit_open'),
    closedAgain,
    pausedPartitions: watch.everPaused(),
    stillPaused: watch.paused().length,
    deadLetters: log.lines.filter(({ outcome }) => outcome === 'dead letter').length,
    rssBeforeBytes,
    rssDuringBytes,
  };
  const checks = verdict(seen);
  say('');
  for (const { ok, what } of checks) say(`${ok ? '✓' : '✗'} ${what}`);
  say(`It took ${((Date.now() - began) / 1000).toFixed(1)} s.`);
  return checks.every(({ ok }) => ok);
}

/** What the log of payments says of circuit and partitions. */
function watchOf(lines: LogLine[]) {
  const of = (event: string) => lines.filter((line) => line.event === event);
  const place = ({ topic, partition }: LogLine) => `${String(topic)}/${String(partition)}`;
  const paused = () =>
    [...new Set(of('partition_paused').map(place))].filter((where) => {
      const last = lines.findLast((line) => line.event?.startsWith('partition_') && place(line) === where);
      return last?.event === 'partition_paused';
    });
  return {
    changes: () => lines.flatMap(({ event }) => (event?.startsWith('circuit_') ? [event] : [])),
    paused,
    everPaused: () => new Set(of('partition_paused').map(place)).size,
    pauses: () => {
      const longest = Math.max(...of('partition_paused').map(({ pause_ms: pauseMs }) => Number(pauseMs)));
      return `${paused().sort().join(', ')} stand still, for up to ${(longest / 1000).toFixed(1)} s`;
    },
  };
}

/** Resolves with how long the slowest of them took. Those that were placed are in `ids`, whatever happens. */
async function placeAll(
  shop: ShopClient,
  count: number,
  ids: string[],
  signal: AbortSignal,
): Promise<number> {
  let slowestMs = 0;
  let left = count;
  const work = async () => {
    while (left-- > 0) {
      signal.throwIfAborted();
      const draftId = randomUUID();
      await shop.saveDraft(draftId, DRAFT);
      const began = performance.now();
      ids.push((await shop.confirm(draftId, 'tok_visa', randomUUID())).id);
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return Math.round(slowestMs);
}

async function countPaid(shop: ShopClient, ids: string[]): Promise<number> {
  const orders = await Promise.all(ids.map((id) => shop.order(id)));
  return orders.filter(({ state }) => state === 'paid').length;
}

const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
