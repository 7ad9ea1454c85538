import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { table } from '../local/tables.ts';
import { money } from './money.ts';
import { parseLines, type OrderLine } from './order-line.ts';
import type { Places } from './places.ts';
import { progressBar } from './progress-bar.ts';
import { ProblemError, ShopClient, type OrderView } from './shop.client.ts';
import { waitFor } from './wait.ts';

type Outcome =
  | { number: number; kind: 'paid' | 'failed' | 'cancelled'; order: OrderView }
  | { number: number; kind: 'rejected'; reason: string };

const AT_A_TIME = 8;

/** Places every order of a file and compares what it came to with the gateway's ledger. Resolves with the exit code. */
export async function placeFile(places: Places, file: string): Promise<number> {
  const lines = parseLines(await readFile(file, 'utf8'));
  const shops = new Map<string, Promise<ShopClient>>();
  const shopOf = (customer: string) => {
    const shop = shops.get(customer) ?? ShopClient.of(places, customer);
    shops.set(customer, shop);
    return shop;
  };
  const bar = progressBar(lines.length);
  const outcomes: Outcome[] = [];
  const waiting = [...lines];
  const work = async () => {
    for (let line = waiting.shift(); line; line = waiting.shift()) {
      outcomes.push(
        'reason' in line
          ? { number: line.number, kind: 'rejected', reason: line.reason }
          : await place(await shopOf(line.customer), line),
      );
      bar.advance(outcomes.length);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  bar.end();
  return summarise(places, lines.length, outcomes);
}

/** One order from its draft to its last state. */
async function place(shop: ShopClient, line: OrderLine): Promise<Outcome> {
  const { number } = line;
  try {
    const draftId = randomUUID();
    await shop.saveDraft(draftId, line.draft);
    const { id } = await shop.confirm(draftId, line.cardToken, randomUUID());
    const settled = await reaches(shop, id, ['paid', 'payment_failed', 'cancelled', 'refunded']);
    if (settled.state === 'payment_failed') return { number, kind: 'failed', order: settled };
    if (!line.cancel)
      return { number, kind: settled.state === 'paid' ? 'paid' : 'cancelled', order: settled };
    await shop.cancel(id);
    return { number, kind: 'cancelled', order: await reaches(shop, id, ['refunded']) };
  } catch (error) {
    // A refusal is an outcome; anything else means that we do not know what became of the order.
    if (error instanceof ProblemError && error.status < 500)
      return { number, kind: 'rejected', reason: error.message };
    throw new Error(`line ${number}: ${(error as Error).message}`, { cause: error });
  }
}

function reaches(shop: ShopClient, id: string, states: string[]): Promise<OrderView> {
  let last = '';
  const ask = async () => {
    const order = await shop.order(id);
    last = order.state;
    return states.includes(order.state) ? order : undefined;
  };
  const seen = () => `order ${id} is ${last}`;
  return waitFor(states.join(' or '), ask, { timeoutMs: 60_000, everyMs: 100, seen });
}

async function summarise(places: Places, lines: number, outcomes: Outcome[]): Promise<number> {
  const count = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length;
  for (const outcome of outcomes.filter((o) => o.kind === 'rejected').sort((a, b) => a.number - b.number)) {
    console.log(`line ${outcome.number} rejected: ${outcome.reason}`);
  }
  const [paid, failed, cancelled, rejected] = [
    count('paid'),
    count('failed'),
    count('cancelled'),
    count('rejected'),
  ];
  const sum = paid + failed + cancelled + rejected;
  console.log(
    `\n${paid} paid + ${failed} failed + ${cancelled} cancelled + ${rejected} rejected = ${sum} of ${lines} lines`,
  );

  const orders = outcomes.flatMap((outcome) => ('order' in outcome ? [outcome.order] : []));
  const net = await gatewayNet(
    places,
    orders.map(({ id }) => id),
  );
  const paidSums: Record<string, number> = {};
  for (const outcome of outcomes) {
    if (outcome.kind !== 'paid') continue;
    const { currency, total } = outcome.order;
    paidSums[currency] = (paidSums[currency] ?? 0) + total;
  }
  const currencies = [...new Set([...Object.keys(net), ...Object.keys(paidSums)])].sort();
  const same = currencies.every((currency) => (net[currency] ?? 0) === (paidSums[currency] ?? 0));
  const row = (currency: string) => [
    currency,
    money(net[currency] ?? 0, currency),
    money(paidSums[currency] ?? 0, currency),
    (net[currency] ?? 0) === (paidSums[currency] ?? 0) ? 'equal' : 'NOT EQUAL',
  ];
  console.log(table([['', 'captures − refunds at the gateway', 'paid orders', ''], ...currencies.map(row)]));
  if (sum === lines && same) return 0;
  console.error('✗ the books do not balance');
  return 1;
}

/** Captures minus refunds of these orders, per currency, as the gateway has it. */
async function gatewayNet({ gateway }: Places, references: string[]): Promise<Record<string, number>> {
  const response = await fetch(`${gateway}/admin/ledger`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ references }),
  });
  return ((await response.json()) as { net: Record<string, number> }).net;
}
