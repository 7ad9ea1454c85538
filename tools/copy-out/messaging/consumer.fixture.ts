import {
  createEvent,
  Delivery,
  letterOf,
  OutboxRelay,
  outboxRow,
  reads,
  type Event,
  type Handlers,
  type OutboxRow,
  type Queryable,
} from '@cairn/messaging';
import { asyncApiDocument, type JsonSchema } from '@cairn/messaging/asyncapi';

/** Compiled by strangers, under their own options. */
type Order = { orderId: string };
const order = {
  safeParse: (data: unknown) => ({ success: true as const, data: data as Order }),
};
const handlers: Handlers = {
  orders: { 'order.paid.v1': reads(order, async ({ orderId }, event) => [orderId.length, event.id]) },
};

export function use(db: Queryable, send: (rows: OutboxRow[]) => Promise<void>): [OutboxRelay, Delivery] {
  const relay = new OutboxRelay({ db, publish: send, publishMs: 1500 });
  const park = async (letter: Parameters<typeof letterOf>[1]) =>
    console.log(letterOf('mailer', letter, (text) => text).key);
  const delivery = new Delivery({ groupId: 'mailer', handlers, park, maxAttempts: 3 });
  return [relay, delivery];
}

const event: Event<Order> = createEvent({
  ...{ type: 'order.paid.v1', source: '/orders', subject: 'o-1', time: new Date(0) },
  data: { orderId: 'o-1' },
});
export const row: OutboxRow = outboxRow('orders', event);
const options = { service: 'mailer', description: '', version: '1', receives: handlers };
export const title: string = asyncApiDocument({ ...options, toJsonSchema: (): JsonSchema => ({}) }).info
  .title;

// @ts-expect-error An event is about something: it would compile if the types were not found.
createEvent({ type: 'order.paid.v1', source: '/orders', time: new Date(0), data: {} });
