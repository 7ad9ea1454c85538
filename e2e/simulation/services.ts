import { Delivery, OutboxRelay, type Handlers } from '@cairn/messaging';
import { OrdersConsumer } from '@cairn/orders/src/orders.consumer.ts';
import type { DraftsStore } from '@cairn/orders/src/drafts.store.ts';
import type { OrdersRepository } from '@cairn/orders/src/orders.repository.ts';
import { OrdersService } from '@cairn/orders/src/orders.service.ts';
import { aConfig } from '@cairn/payments/src/config.fixture.ts';
import { GatewayClient } from '@cairn/payments/src/gateway.client.ts';
import { PaymentsConsumer } from '@cairn/payments/src/payments.consumer.ts';
import type { PaymentsRepository } from '@cairn/payments/src/payments.repository.ts';
import { PaymentsService } from '@cairn/payments/src/payments.service.ts';
import { ReconciliationService } from '@cairn/payments/src/reconciliation.service.ts';
import { MemoryConsumer, parker, publisher } from './broker.client.ts';
import type { Message } from './broker.memory.ts';
import { Connection } from './connection.ts';
import { misleadGateway, misleadOrders, misleadPayments } from './mistakes.ts';
import { MemoryDrafts, MemoryOrders } from './orders.memory.ts';
import { MemoryOutbox } from './outbox.memory.ts';
import { MemoryPayments } from './payments.memory.ts';
import type { Process } from './process.ts';
import { MemorySequence } from './sequence.memory.ts';
import { SETTINGS, type World } from './world.ts';

/** A running process of an app: the real service, relay and delivery on engines in memory. */
export type Running = {
  process: Process;
  delivery: Delivery;
  /** Ends in order, as SIGTERM does it. */
  finish: () => Promise<unknown>;
  service?: OrdersService;
};

const GATEWAY = aConfig();

export function startOrders(world: World, process: Process): Running {
  const connection = new Connection(world.network, process, world.orders);
  const repository = new MemoryOrders(connection, world.bug) as unknown as OrdersRepository;
  const drafts = new MemoryDrafts(world.network, process, world.drafts) as unknown as DraftsStore;
  const service = new OrdersService(repository, drafts, SETTINGS, () => world.kernel.date());
  misleadOrders(service, repository, world);
  const { handlers } = new OrdersConsumer(service, repository, SETTINGS, async () => {});
  return {
    ...startFlow(world, process, { connection, handlers, ordered: 'payments', group: 'orders' }),
    service,
  };
}

export function startPayments(world: World, process: Process): Running {
  const connection = new Connection(world.network, process, world.payments);
  const repository = new MemoryPayments(connection, world.bug) as unknown as PaymentsRepository;
  const now = () => world.kernel.date();
  // Its fetch is the kernel's, which knows by the host who is asking.
  const gateway = new GatewayClient({ ...GATEWAY, GATEWAY_URL: `http://${process.name}` });
  misleadGateway(gateway, world);
  const service = new PaymentsService(repository, gateway, now);
  misleadPayments(service, repository, world);
  const books = new ReconciliationService(repository, gateway, service, {
    settings: SETTINGS,
    now,
    onFound: ({ finding, outcome, orderId }) =>
      world.kernel.say(`${process.name} finds ${finding}: ${outcome} ${orderId ?? ''}`),
  });
  const inbox = { db: undefined as never, keepDays: SETTINGS.INBOX_KEEP_DAYS };
  const { handlers } = new PaymentsConsumer(service, books, inbox, async () => {});
  return startFlow(world, process, { connection, handlers, ordered: 'orders', group: 'payments' });
}

type Flow = { connection: Connection; handlers: Handlers; ordered: string; group: string };

function startFlow(world: World, process: Process, { connection, handlers, ordered, group }: Flow): Running {
  const { kernel, network, broker, bug } = world;
  const client = { kernel, network, broker, process, bug };
  const park = parker(client, group);
  const delivery = new Delivery({
    groupId: group,
    handlers: failing(handlers, world.poisoned),
    maxAttempts: 3,
    maxBackoffMs: 2000,
    maxPauseMs: 2000,
    sequence: { store: new MemorySequence(connection, bug), topics: [ordered] },
    park: ({ topic, partition, message }) => park({ ...message, topic, partition } as Message),
    onError: (error, { topic, partition, offset, outcome }) =>
      kernel.say(`${process.name} ${topic}/${partition}/${offset}: ${(error as Error).message} (${outcome})`),
  });
  const relay = new OutboxRelay({
    store: new MemoryOutbox(connection, bug),
    publish: publisher(client),
    holder: process.name,
    batchSize: 5,
    pollMs: 600,
    leaseMs: 3000,
    now: () => kernel.now,
    onError: (error) => kernel.say(`${process.name} relay: ${(error as Error).message}`),
  });
  const consumer = new MemoryConsumer(client, group, Object.keys(handlers), delivery);
  kernel.as(process, () => {
    relay.start();
    void consumer.start();
  });
  const finish = () => kernel.as(process, () => Promise.all([consumer.stop(), relay.stop()]));
  return { process, delivery, finish };
}

/** Handlers with a mistake in them that shows for some events only. */
function failing(handlers: Handlers, poisoned: Set<string>): Handlers {
  const wrapped = Object.entries(handlers).map(([topic, byType]) => [
    topic,
    Object.fromEntries(
      Object.entries(byType).map(([type, handle]): [string, typeof handle] => [
        type,
        async (event, work) => {
          if (poisoned.has(event.id)) throw new TypeError('cannot read properties of undefined');
          await handle(event, work);
        },
      ]),
    ),
  ]);
  return Object.fromEntries(wrapped) as Handlers;
}
