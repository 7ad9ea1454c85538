import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { featuresOf, TestProvider } from '@cairn/config/flags';
import { newContext, withContext } from '@cairn/logging';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { DataSource } from 'typeorm';
import { aConfig } from './config.fixture.ts';
import { schema } from './config.ts';
import { createDataSource } from './data-source.factory.ts';
import { MailSender } from './mail.sender.ts';
import { refundedLetter, type Outcome } from './notification.ts';
import { NotificationsRepository } from './notifications.repository.ts';
import { NotificationsService } from './notifications.service.ts';

/** Real: PostgreSQL, the SMTP server and its mailbox. The server that refuses is a script; few real ones would. */
const env = (name: string) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; "npm test" sets it`);
  return value;
};
const database = `notifications_${randomUUID().replaceAll('-', '')}`;
const server = new DataSource({ type: 'postgres', url: env('POSTGRES_URL'), installExtensions: false });
const url = Object.assign(new URL(env('POSTGRES_URL')), { pathname: `/${database}` });
const dataSource = createDataSource({ DATABASE_URL: url.href, DATABASE_POOL_MAX: 10 });
const repository = new NotificationsRepository(dataSource);
const flags = new TestProvider(featuresOf(schema, aConfig()));
const senders: MailSender[] = [];
const servers: Server[] = [];

/** A process of its own, as far as the database can tell. */
const aService = (smtpUrl = env('SMTP_URL'), timeoutMs = 5000) => {
  const settings = aConfig({ SMTP_URL: smtpUrl, SMTP_TIMEOUT_MS: String(timeoutMs) });
  const sender = new MailSender(settings);
  senders.push(sender);
  return { sender, service: new NotificationsService(repository, sender, flags.client, settings) };
};
const aDelivery = () => {
  const to = { orderId: randomUUID(), customerId: 'alice', email: `${randomUUID()}@example.com` };
  return { eventId: randomUUID(), to, letter: refundedLetter({ ...to, currency: 'EUR', total: 2100 }) };
};
type Delivery = ReturnType<typeof aDelivery>;
const notify = ({ service }: ReturnType<typeof aService>, { eventId, to, letter }: Delivery) =>
  service.notify(eventId, to, letter);
const told = async ({ to }: Delivery) => (await aService().service.list(to.customerId, to.orderId)).items;

type Received = {
  to: { address: string }[];
  messageId: string;
  headers: Record<string, string>;
  subject: string;
  text: string;
  html?: string;
};
const mailbox = async ({ to }: Delivery) => {
  const reply = await fetch(new URL('/api/email', env('MAIL_WEB_URL')));
  const all = (await reply.json()) as Received[];
  return all.filter((mail) => mail.to.some(({ address }) => address === to.email));
};

/** Greets, and answers the given commands as told and all others with 250; the text of a mail has no answer. */
const scriptedSmtp = async (replies: Record<string, string>) => {
  const scripted = createServer((socket) => {
    let inText = false;
    socket.write('220 ready\r\n');
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const line of data.toString().trimEnd().split('\r\n')) {
        if (inText && line !== '.') continue;
        const reply = replies[line.slice(0, 4)] ?? '250 ok';
        inText = reply.startsWith('354');
        socket.write(`${reply}\r\n`);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(scripted, 'listening');
  servers.push(scripted);
  return `smtp://127.0.0.1:${(scripted.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  await server.initialize();
  await server.query(`CREATE DATABASE ${database}`);
  await dataSource.initialize();
  await dataSource.runMigrations();
});
afterEach(() => {
  flags.restore();
  for (const sender of senders.splice(0)) sender.close();
  for (const scripted of servers.splice(0)) scripted.close();
});
afterAll(async () => {
  if (dataSource.isInitialized) await dataSource.destroy();
  if (!server.isInitialized) return;
  await server.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await server.destroy();
});

describe('a notification', () => {
  it('is sent with a stable Message-ID and the correlation id, and can be looked up', async () => {
    const delivery = aDelivery();
    await withContext(newContext({ correlationId: 'checkout-7f3a9c21' }), () => notify(aService(), delivery));
    const messageId = `<${delivery.eventId}@cairn.example>`;
    expect(await told(delivery)).toEqual([
      {
        id: expect.any(String),
        orderId: delivery.to.orderId,
        template: 'order_refunded',
        recipient: delivery.to.email,
        subject: 'Your refund is on its way',
        messageId,
        state: 'sent',
        createdAt: expect.any(String),
        sentAt: expect.any(String),
      },
    ]);
    const [mail] = await mailbox(delivery);
    expect(mail).toMatchObject({ subject: 'Your refund is on its way' });
    expect(mail!.headers).toMatchObject({
      'message-id': messageId,
      'x-correlation-id': 'checkout-7f3a9c21',
    });
  });

  it('has an HTML part beside its text, unless the flag is off for its customer', async () => {
    const [pretty, plain] = [aDelivery(), aDelivery()];
    await notify(aService(), pretty);
    flags.set('html-mail', false);
    await notify(aService(), plain);
    const [[withHtml], [without]] = [await mailbox(pretty), await mailbox(plain)];
    expect(withHtml).toMatchObject({ text: expect.any(String), html: expect.stringContaining('<p>') });
    expect(without!.text).toBe(withHtml!.text.replaceAll(pretty.to.orderId, plain.to.orderId));
    expect(without!.html).toBeFalsy();
  });

  it('is sent once when its event is delivered twice', async () => {
    const delivery = aDelivery();
    await notify(aService(), delivery);
    await notify(aService(), delivery);
    expect(await mailbox(delivery)).toHaveLength(1);
    expect(await told(delivery)).toMatchObject([{ state: 'sent' }]);
  });

  it('is sent once when its event is delivered to several processes at the same moment', async () => {
    const delivery = aDelivery();
    const results = await Promise.allSettled([1, 2, 3].map(() => notify(aService(), delivery)));
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ transient: true });
    // What was put off is delivered again, and finds it done.
    await notify(aService(), delivery);
    expect(await mailbox(delivery)).toHaveLength(1);
    expect(await told(delivery)).toMatchObject([{ state: 'sent' }]);
  });

  it('is sent again under the same Message-ID when a process died between sending and recording', async () => {
    const delivery = aDelivery();
    const { sender } = aService();
    const settings = { MAIL_FROM: 'Cairn <orders@cairn.example>', SMTP_TIMEOUT_MS: 1 };
    const dying = Object.assign(new NotificationsRepository(dataSource), {
      settle: () => Promise.reject(new Error('killed')),
    });
    await expect(
      new NotificationsService(dying, sender, flags.client, settings).notify(
        delivery.eventId,
        delivery.to,
        delivery.letter,
      ),
    ).rejects.toThrow('killed');
    expect(await told(delivery)).toMatchObject([{ state: 'pending' }]);
    await notify(aService(), delivery);
    const mails = await mailbox(delivery);
    expect(mails).toHaveLength(2);
    expect(new Set(mails.map(({ headers }) => headers['message-id'])).size).toBe(1);
    expect(await told(delivery)).toMatchObject([{ state: 'sent' }]);
  });

  it('waits for a mail server that is down, and goes out as soon as it is back', async () => {
    const delivery = aDelivery();
    await expect(notify(aService('smtp://127.0.0.1:1'), delivery)).rejects.toMatchObject({
      code: 'mail_unavailable',
      transient: true,
    });
    expect(await told(delivery)).toMatchObject([{ state: 'pending' }]);
    await notify(aService(), delivery);
    expect(await told(delivery)).toMatchObject([{ state: 'sent' }]);
    expect(await mailbox(delivery)).toHaveLength(1);
  });

  it.each([
    ['asks to come back later', { RCPT: '451 try again later' }],
    ['is closing', { MAIL: '421 closing' }],
    ['refuses our own address', { MAIL: '550 who are you' }],
  ])('waits for a mail server that %s', async (_, replies) => {
    const delivery = aDelivery();
    await expect(notify(aService(await scriptedSmtp(replies)), delivery)).rejects.toMatchObject({
      transient: true,
    });
    expect(await told(delivery)).toMatchObject([{ state: 'pending' }]);
  });

  it('gives up on a mail server that does not answer, in time', async () => {
    const delivery = aDelivery();
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    servers.push(silent);
    await once(silent, 'listening');
    const address = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expect(notify(aService(address, 100), delivery)).rejects.toMatchObject({ transient: true });
  });

  it.each([
    ['recipient', { RCPT: '550 no such user' }],
    ['content', { DATA: '354 go on', '.': '554 looks like spam' }],
  ])('fails for good, with the reason, when the server refuses its %s', async (_, replies) => {
    const delivery = aDelivery();
    const refusing = aService(await scriptedSmtp(replies));
    await notify(refusing, delivery);
    expect(await told(delivery)).toMatchObject([
      { state: 'failed', reason: expect.stringMatching(/no such user|looks like spam/) },
    ]);
    // The real server would take it; but what has failed for good is not tried again.
    await notify(aService(), delivery);
    expect(await mailbox(delivery)).toHaveLength(0);
  });

  it('is shown to its own customer only', async () => {
    const delivery = aDelivery();
    const { service } = aService();
    await notify(aService(), delivery);
    expect((await service.list('eve', delivery.to.orderId)).items).toEqual([]);
    expect((await service.list('alice', randomUUID())).items).toEqual([]);
  });
});

describe('a letter taken up by two', () => {
  it('belongs to the first one, and to the second one after the lease', async () => {
    const { eventId, to, letter } = aDelivery();
    const { template, subject } = letter;
    const row = {
      eventId,
      ...to,
      recipient: to.email,
      template,
      subject,
      messageId: '<m>',
      createdAt: new Date(),
    };
    expect(await repository.takeUp(row, 60_000)).toBe('ours');
    expect(await repository.takeUp(row, 60_000)).toBe('elsewhere');
    await repository.putBack(eventId);
    expect(await repository.takeUp(row, 60_000)).toBe('ours');
    const outcome: Outcome = { delivered: true };
    await repository.settle(eventId, outcome, new Date());
    expect(await repository.takeUp(row, 60_000)).toBe('settled');
  });
});
