import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { table } from '../local/tables.ts';
import { GatewayAdmin } from './gateway.client.ts';
import { money } from './money.ts';
import { parseLines, type OrderLine } from './order-line.ts';
import type { Places } from './places.ts';
import { progressBar } from './progress-bar.ts';
import { ProblemError, ShopClient, type OrderView } from './shop.client.ts';
import { waitFor } from './wait.ts';

type Outcome =
  | { number: number; kind: 'paid' | 'failed' | 'cancelled'; order: OrderView }
  | { number: number; kind: 'rejected' | 'unknown'; reason: string };

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
    const refused = error instanceof ProblemError && error.status < 500;
    return { number, kind: refused ? 'rejected' : 'unknown', reason: (error as Error).message };
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
  const told = outcomes.filter((outcome) => 'reason' in outcome).sort((a, b) => a.number - b.number);
  for (const { number, kind, reason } of told) console.log(`line ${number} ${kind}: ${reason}`);
  const count = (kind: Outcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length;
  const kinds = (['paid', 'failed', 'cancelled', 'rejected'] as const).map((kind) => ({
    kind,
    number: count(kind),
  }));
  const sum = kinds.reduce((total, { number }) => total + number, 0);
  console.log(
    `\n${kinds.map(({ kind, number }) => `${number} ${kind}`).join(' + ')} = ${sum} of ${lines} lines`,
  );
  const unknown = count('unknown');
  if (unknown)
    console.error(`✗ of ${unknown} lines it is not known what became of them; the lines above say why`);

  const orders = outcomes.flatMap((outcome) => ('order' in outcome ? [outcome] : []));
  const { net } = await new GatewayAdmin(places.gateway).ledgerOf(...orders.map(({ order }) => order.id));
  const paid: Record<string, number> = {};
  for (const { kind, order } of orders) {
    if (kind === 'paid') paid[order.currency] = (paid[order.currency] ?? 0) + order.total;
  }
  const books = [...new Set([...Object.keys(net), ...Object.keys(paid)])].sort().map((currency) => {
    const [atGateway, inOrders] = [net[currency] ?? 0, paid[currency] ?? 0];
    return { currency, atGateway, inOrders, equal: atGateway === inOrders };
  });
  const rows = books.map(({ currency, atGateway, inOrders, equal }) => [
    currency,
    money(atGateway, currency),
    money(inOrders, currency),
    equal ? 'equal' : 'NOT EQUAL',
  ]);
  console.log(table([['', 'captures − refunds at the gateway', 'paid orders', ''], ...rows]));
  const balanced = books.every(({ equal }) => equal);
  if (!balanced) console.error('✗ the books do not balance');
  return balanced && sum === lines ? 0 : 1;
}
