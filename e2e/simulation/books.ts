import type { Event } from '@cairn/messaging';
import type { Order } from '@cairn/orders/src/order.ts';
import type { Payment } from '@cairn/payments/src/payment.ts';
import type { Stored } from './aggregate.memory.ts';
import type { Books } from './audit.ts';
import type { Database } from './database.ts';
import type { System } from './system.ts';

/** Opens everybody's books. */
export function booksOf(system: System): Books {
  const { orders, payments, gateway, broker } = system.world;
  return {
    promised: system.customers.map(({ promised }) => promised),
    orders: valuesOf<Order>(orders, 'orders'),
    payments: valuesOf<Payment>(payments, 'payment'),
    charges: [...gateway.charges.values()],
    published: ['orders', 'payments'].flatMap((topic) =>
      broker.logs(topic).map((log) => log.map(({ value }) => JSON.parse(String(value)) as Event)),
    ),
    history: [...orders.history, ...payments.history],
    unsettled: unsettled(system),
  };
}

/** What is still under way. Orders wait for payments, or for their expiry; nothing else waits for long. */
export function unsettled(system: System): string[] {
  const { orders, payments, broker } = system.world;
  return [
    ...system.customers.filter(({ done }) => !done).map(({ promised }) => `${promised.customerId} waits`),
    ...valuesOf<Order>(orders, 'orders')
      .filter(({ state }) => state === 'pending')
      .map(({ id }) => `order ${id} is pending`),
    ...valuesOf<Payment>(payments, 'payment')
      .filter(({ state }) => !['succeeded', 'failed', 'refunded'].includes(state))
      .map(({ orderId, state }) => `the payment of ${orderId} is ${state}`),
    ...[orders, payments].flatMap((database) => waitingIn(database)),
    ...[...broker.letters.keys()].map((letter) => `dead letter ${letter}`),
    ...(broker.lag('orders', ['payments']) > 0 ? ['orders has not read all payments'] : []),
    ...(broker.lag('payments', ['orders']) > 0 ? ['payments has not read all orders'] : []),
  ];
}

function waitingIn(database: Database): string[] {
  return ['outbox', 'inbox_held']
    .filter((table) => database.table(table).size > 0)
    .map((table) => `${database.name}: ${database.table(table).size} rows in ${table}`);
}

const valuesOf = <T>(database: Database, table: string): T[] =>
  [...database.table<Stored<T>>(table).values()].map(({ value }) => value);
