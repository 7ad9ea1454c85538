import { describe, expect, it } from '@jest/globals';
import { featuresOf, TestProvider } from '@cairn/config/flags';
import { aConfig } from './config.fixture.ts';
import { schema } from './config.ts';
import type { Mail } from './mail.sender.ts';
import { refundedLetter } from './notification.ts';
import type { NotificationsRepository } from './notifications.repository.ts';
import { NotificationsService } from './notifications.service.ts';

/** Real: OpenFeature. What is stored and what is sent is written down. */
const LETTER = refundedLetter({ orderId: 'o1', currency: 'EUR', total: 2100 });

function underTest() {
  const flags = new TestProvider(featuresOf(schema, aConfig()));
  const sent: Mail[] = [];
  const repository = {
    takeUp: async () => 'taken',
    settle: async () => {},
  } as unknown as NotificationsRepository;
  const mail = { send: async (letter: Mail) => (sent.push(letter), { delivered: true as const }) };
  const service = new NotificationsService(repository, mail, flags.client, aConfig());
  const tell = async (customerId: string) => {
    await service.notify(`${customerId}-1`, { orderId: 'o1', customerId, email: 'a@example.com' }, LETTER);
    return sent.at(-1)!;
  };
  return { flags, tell };
}

describe('the HTML part of an e-mail', () => {
  it('is there for everybody, by default', async () => {
    const { tell } = underTest();
    expect(await tell('ada')).toMatchObject({ text: LETTER.text, html: LETTER.html });
  });

  it('is left out while its flag is off, and the text stays', async () => {
    const { flags, tell } = underTest();
    flags.set('html-mail', false);
    const mail = await tell('ada');
    expect(mail.text).toBe(LETTER.text);
    expect(mail).not.toHaveProperty('html');
  });

  it('goes to the same customers every time, while its flag is a percentage', async () => {
    const { flags, tell } = underTest();
    flags.set('html-mail', '50%');
    // Their places under this flag are 44.1 and 60.2 of 100.
    for (let i = 0; i < 3; i++) {
      expect(await tell('ada')).toHaveProperty('html');
      expect(await tell('eve')).not.toHaveProperty('html');
    }
  });
});
