import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { aConfig } from './config.fixture.ts';
import { MailSender } from './mail.sender.ts';

/** Real: TCP, nodemailer and the policies around it. The mail server answers by script. */
const servers: Server[] = [];
const senders: MailSender[] = [];
afterEach(() => {
  for (const sender of senders.splice(0)) sender.close();
  for (const server of servers.splice(0)) server.close();
});

async function aSender(talk: (socket: Socket) => void, env: Record<string, string> = {}) {
  const seen = { connections: 0, open: new Set<Socket>() };
  const server = createServer((socket) => {
    seen.connections += 1;
    seen.open.add(socket);
    socket.on('error', () => {}).on('close', () => seen.open.delete(socket));
    talk(socket);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const SMTP_URL = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = new MailSender(aConfig({ SMTP_URL, SMTP_BREAKER_MIN_CALLS: '4', ...env }));
  senders.push(sender);
  const mail = { to: 'ada@example.com', subject: 's', text: 't', html: 'h', messageId: '<1@example.com>' };
  return { seen, send: () => sender.send(mail) };
}

const away = (socket: Socket) => void socket.destroy();
const refusing = (socket: Socket) => {
  socket.write('220 ready\r\n');
  socket.on('data', (data) => {
    const said = data.toString();
    socket.write(said.startsWith('RCPT') ? '550 no such user\r\n' : '250 ok\r\n');
  });
};

describe('a mail server', () => {
  it('that is away is soon left alone, and whoever waits for it learns for how long', async () => {
    const { seen, send } = await aSender(away);
    for (let i = 0; i < 4; i++)
      await expect(send()).rejects.toMatchObject({ code: 'mail_unavailable', transient: true });
    const { connections } = seen;
    await expect(send()).rejects.toMatchObject({
      code: 'circuit_open',
      transient: true,
      retryAfterMs: expect.any(Number),
    });
    expect(seen.connections).toBe(connections);
  });

  it('that refuses a recipient is well, however often it does', async () => {
    const { send } = await aSender(refusing);
    for (let i = 0; i < 9; i++) expect(await send()).toMatchObject({ delivered: false });
  });

  it('that says nothing is given up in time', async () => {
    const { send } = await aSender(() => {}, { SMTP_TIMEOUT_MS: '50' });
    await expect(send()).rejects.toMatchObject({ transient: true });
  });
});
