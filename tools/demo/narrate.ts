import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Event, Handlers } from '@cairn/messaging';
import { Broker } from '@cairn/messaging/kafkajs';
import { randomUUID } from 'node:crypto';
import { mailsWith } from './mailbox.ts';
import { money } from './money.ts';
import type { Places } from './places.ts';
import { ShopClient } from './shop.client.ts';
import { waitFor } from './wait.ts';

type Say = (line: string) => void;

const EVENTS: Record<string, string[]> = {
  orders: ['order.confirmed.v1', 'order.paid.v1', 'order.payment_failed.v1', 'order.cancelled.v1'],
  payments: ['payment.succeeded.v1', 'payment.failed.v1'],
  receipts: ['receipt.stored.v1'],
};

const DRAFT = {
  email: 'ada@example.com',
  currency: 'EUR',
  lines: [
    { sku: 'TEA-01', name: 'Mountain tea, 250 g', quantity: 2, unitPrice: 890 },
    { sku: 'MUG-02', name: 'Enamel mug', quantity: 1, unitPrice: 1450 },
  ],
};

/**
 * Places one order and tells each hop as it is seen from outside: at the APIs, on the topics, in the bucket and in the
 * mailbox. Rejects when a hop does not come, with what was seen last. `headers` go with the request that confirms it.
 */
export async function narrateOrder(
  places: Places,
  say: Say,
  headers: Record<string, string> = {},
): Promise<void> {
  const began = Date.now();
  const tell: Say = (text) => say(`${`+${String(Date.now() - began)} ms`.padStart(10)}  ${text}`);
  const customer = `ada-${randomUUID().slice(0, 8)}`;
  const events = watchTopics(places, customer, tell);
  try {
    await waitFor('the demo to join the topics', async () => events.joined() || undefined);
    const shop = await ShopClient.of(places, customer);
    const draftId = randomUUID();
    const draft = await shop.saveDraft(draftId, DRAFT);
    tell(
      `draft      ${draftId} saved in Redis until ${draft.expiresAt}, ${money(draft.total, DRAFT.currency)}`,
    );
    const order = await shop.confirm(draftId, 'tok_visa', randomUUID(), places.orders, headers);
    tell(`order      ${order.id} is ${order.state}`);

    const seen = () => `the events seen were ${events.types().join(', ') || 'none'}`;
    const settled = await waitFor(
      'the order to be settled',
      async () => {
        const now = await shop.order(order.id);
        return now.state === 'pending' ? undefined : now;
      },
      { seen },
    );
    if (settled.state !== 'paid')
      throw new Error(`The order is ${settled.state} (${settled.reason}), not paid.`);
    const payment = await shop.payment(settled.paymentId!);
    tell(`order      ${order.id} is ${settled.state}; payment ${payment.id} ${payment.state}`);

    const receipt = await waitFor('the receipt', async () => events.of('receipt.stored.v1'), { seen });
    tell(`receipt    ${await receiptInBucket(places, (receipt.data as { key: string }).key)}`);
    const mail = await waitFor('the e-mail', () => mailTo(places, shop, order.id), { seen });
    tell(`e-mail     "${mail.subject}" to ${mail.to}, Message-ID ${mail.messageId}`);
    say(`The order took ${Date.now() - began} ms from its draft to its e-mail.`);
  } finally {
    await events.stop();
  }
}

function watchTopics(places: Places, customer: string, tell: Say) {
  const mine: Event[] = [];
  const handler = async (event: Event) => {
    const data = event.data as { customerId?: string; orderId?: string };
    // A payment names no customer, but the order that it is for.
    const known = mine.some(({ subject }) => subject === event.subject);
    if (data.customerId !== customer && !known) return;
    mine.push(event);
    tell(`topic      ${event.type} from ${event.source}`);
  };
  const handlers: Handlers = Object.fromEntries(
    Object.entries(EVENTS).map(([topic, types]) => [
      topic,
      Object.fromEntries(types.map((type) => [type, handler])),
    ]),
  );
  const broker = new Broker({ brokers: places.brokers, clientId: 'demo' });
  const consumer = broker.consumer({ groupId: `demo-${randomUUID()}`, handlers });
  consumer.start();
  return {
    joined: () => consumer.status === 'joined',
    of: (type: string) => mine.find((event) => event.type === type),
    types: () => mine.map(({ type }) => type),
    stop: async () => {
      await consumer.stop();
      await broker.close();
    },
  };
}

async function receiptInBucket({ s3 }: Places, key: string): Promise<string> {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return `s3://${bucket}/${key}, ${head.ContentLength} bytes, ${head.ContentType}`;
  } finally {
    client.destroy();
  }
}

/** The mail itself, out of the mailbox; the notifications API says which one to look for. */
async function mailTo({ mail }: Places, shop: ShopClient, orderId: string) {
  const [sent] = (await shop.notifications(orderId)).filter(({ state }) => state === 'sent');
  return sent && (await mailsWith(sent.messageId, mail))[0];
}
