import { describe, expect, it } from '@jest/globals';
import {
  createEvent,
  UnknownLetterError,
  type Delivery,
  type HeldKey,
  type Letter,
  type LetterOutcome,
  type Message,
} from '@cairn/messaging';
import { dlq, DLQ_USAGE, type DlqParts } from './dlq.ts';

/** The broker and the sequence store are played; their own specs are in libs/messaging. */
const letterOf = (offset: string, more: Partial<Letter> = {}): Letter => {
  const event = createEvent({
    ...{ id: `e-${offset}`, type: 'order.paid.v1', source: '/orders', subject: 'o-1', sequence: 3 },
    ...{ data: { total: 1 }, time: new Date('2026-11-22T09:00:00Z') },
  });
  return {
    id: `payments/orders/0/${offset}`,
    ...{ groupId: 'payments', topic: 'orders', partition: 0, offset, key: 'o-1', redacted: false },
    at: new Date('2026-11-22T09:01:02Z'),
    reason: 'no such\n  card',
    stack: 'Error: no such card\n    at pay',
    event: { id: event.id, type: event.type, source: '/orders', subject: 'o-1', sequence: '3' },
    message: { offset, key: Buffer.from('o-1'), value: Buffer.from(JSON.stringify(event)), headers: {} },
    ...more,
  };
};
const unreadable = (offset: string) =>
  letterOf(offset, {
    event: {},
    message: { offset, key: Buffer.from('o-1'), value: Buffer.from('no JSON'), headers: {} },
  });
const heldKey: HeldKey = {
  ...{ source: '/orders', subject: 'o-1', topic: 'orders', waitsFor: 3, count: 2 },
  since: new Date('2026-11-22T09:01:03Z'),
};

function desk(
  found: Letter[] = [letterOf('41')],
  { held = [] as HeldKey[], turn = 'done' as 'done' | 'held' } = {},
) {
  const calls: string[] = [];
  let [out, err] = ['', ''];
  const each = async (
    ids: string[] | 'all',
    work: (letter: Letter) => Promise<LetterOutcome>,
    told: unknown,
  ) => {
    const missing = ids === 'all' ? [] : ids.filter((id) => !found.some((letter) => letter.id === id));
    if (missing.length > 0) throw new UnknownLetterError(missing);
    const chosen = found.filter(({ id }) => ids === 'all' || ids.includes(id));
    const outcomes = await Promise.all(chosen.map(work));
    for (const [i, one] of outcomes.entries())
      (told as (progress: unknown) => void)({ ...one, n: i + 1, of: outcomes.length });
    return outcomes;
  };
  const tried = async (letter: Letter, work: () => Promise<LetterOutcome>): Promise<LetterOutcome> =>
    work().catch((error: Error) => ({ letter, outcome: 'kept', reason: error.message }));
  const letters = {
    list: async () => found,
    show: async (id: string) => {
      if (id !== found[0]?.id) throw new UnknownLetterError([id]);
      return found[0];
    },
    replay: (ids: string[] | 'all', deliver: (message: Message) => Promise<'done'>, told: unknown) => {
      const work = (letter: Letter) =>
        tried(letter, async () => ({
          letter,
          outcome: await deliver({ ...letter.message, topic: letter.topic, partition: 0 }),
        }));
      return each(ids, work, told);
    },
    drop: (ids: string[], release: (letter: Letter) => Promise<unknown>, told: unknown) => {
      const work = (letter: Letter) =>
        tried(letter, async () => {
          await release(letter);
          return { letter, outcome: 'done' };
        });
      return each(ids, work, told);
    },
  } as unknown as DlqParts['letters'];
  const delivery = {
    handleOnce: async ({ offset }: Message) => (calls.push(`handled ${offset}`), turn),
    skip: async (event: object, topic: string) =>
      void calls.push(`skipped ${Object.values(event).join()} of ${topic}`),
    held: async () => held,
  } as unknown as Delivery;
  const parts: DlqParts = {
    ...{ service: 'payments', letters, delivery },
    handlers: { orders: { 'order.paid.v1': async () => {} } },
    connect: async () => void calls.push('connected'),
    redact: (text) => text.replaceAll('secret', '[hidden]'),
    out: (text) => (out += text),
    err: (text) => (err += text),
  };
  return { run: async (...args: string[]) => ({ code: await dlq(parts, args), out, err, calls }), parts };
}

describe('dlq', () => {
  it.each([
    [[]],
    [['lisst']],
    [['list', 'x']],
    [['list', '--all']],
    [['list', '--since', 'yesterday']],
    [['show']],
    [['show', 'a', 'b']],
    [['replay']],
    [['replay', '--all', 'x']],
    [['replay', 'x', '--key', 'y']],
    [['drop']],
    [['drop', '--all']],
    [['skip']],
  ])('refuses %j, says what there is, and connects to nothing', async (args) => {
    const { code, out, err, calls } = await desk().run(...args);
    expect([code, out, calls]).toEqual([2, '', []]);
    expect(err).toMatch(DLQ_USAGE);
  });

  it('lists letters in a table, and what waits for them', async () => {
    const { code, out } = await desk([letterOf('41'), unreadable('42')], { held: [heldKey] }).run('list');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'id                    parked               type           subject  number  reason',
        'payments/orders/0/41  2026-11-22 09:01:02  order.paid.v1  o-1      3       no such card',
        'payments/orders/0/42  2026-11-22 09:01:02  ?              o-1              no such card',
        '',
        'held in  of       subject  waits for number  waiting  since',
        'orders   /orders  o-1      3                 2        2026-11-22 09:01:03',
        '',
      ].join('\n'),
    );
    expect((await desk([]).run('list')).out).toBe('no dead letters of payments\n');
  });

  it('shows all of a letter', async () => {
    const { code, out } = await desk([letterOf('41', { redacted: true })]).run(
      'show',
      'payments/orders/0/41',
    );
    expect(code).toBe(0);
    for (const part of [
      'order.paid.v1 e-41',
      'number   3 of /orders o-1',
      'a replay reads the original',
      '    at pay',
    ])
      expect(out).toContain(part);
    expect(out).toContain('  "data": {\n    "total": 1\n  }');
    expect((await desk([unreadable('41')]).run('show', 'payments/orders/0/41')).out).toContain(
      '\n\nno JSON\n',
    );
  });

  it('replays by the handler of the consumer, tells of each, and exits 0', async () => {
    const { code, out, calls } = await desk([letterOf('41'), letterOf('42')]).run('replay', '--all');
    expect([code, calls]).toEqual([0, ['connected', 'handled 41', 'handled 42']]);
    expect(out).toBe(
      '1/2  done  payments/orders/0/41  order.paid.v1\n' +
        '2/2  done  payments/orders/0/42  order.paid.v1\n2 replayed, 0 kept\n',
    );
  });

  it('says of a letter that fails again why, without secrets, and exits 1', async () => {
    const { run, parts } = desk();
    parts.delivery.handleOnce = () => Promise.reject(new Error('still no\nsecret'));
    expect(await run('replay', 'payments/orders/0/41')).toMatchObject({
      code: 1,
      out: '1/1  kept  payments/orders/0/41  order.paid.v1: still no [hidden]\n0 replayed, 1 kept\n',
    });
  });

  it('keeps a letter that cannot be read, and one that nothing handles any more', async () => {
    const strange = letterOf('43', { topic: 'jobs' });
    const { code, out, calls } = await desk([unreadable('42'), strange]).run('replay', '--all');
    expect([code, calls]).toEqual([1, ['connected']]);
    expect(out).toContain('?: not JSON\n');
    expect(out).toContain('nothing handles order.paid.v1 of jobs any more: drop it\n');
  });

  it('says of a message that is held why it is done with', async () => {
    const { code, out } = await desk([letterOf('41')], { turn: 'held' }).run('replay', '--all');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('held  payments/orders/0/41  order.paid.v1: waits for'),
    ]);
  });

  it.each(['show', 'replay', 'drop'])('%s says that there is no such letter, and exits 1', async (verb) => {
    expect(await desk().run(verb, 'x')).toMatchObject({
      code: 1,
      err: 'there is no dead letter x: "list" shows which there are\n',
    });
  });

  it('lets go on what waits for a letter that it drops', async () => {
    const { code, calls } = await desk().run('drop', 'payments/orders/0/41');
    expect([code, calls]).toEqual([0, ['connected', 'skipped /orders,o-1,3 of orders']]);
  });

  it('takes a letter that cannot be read for what its key waits for, unless another letter is that', async () => {
    const alone = await desk([unreadable('41')], { held: [heldKey] }).run('drop', 'payments/orders/0/41');
    expect(alone.calls).toEqual(['connected', 'skipped /orders,o-1,3 of orders']);
    const another = await desk([unreadable('41'), letterOf('40')], { held: [heldKey] }).run(
      'drop',
      'payments/orders/0/41',
    );
    expect(another.calls).toEqual(['connected']);
    const elsewhere = await desk([unreadable('41')], { held: [{ ...heldKey, subject: 'o-2' }] }).run(
      ...['drop', 'payments/orders/0/41'],
    );
    expect(elsewhere.calls).toEqual(['connected']);
  });

  it('skips what a subject waits for', async () => {
    const { code, out, calls } = await desk([], { held: [heldKey] }).run('skip', 'o-1');
    expect([code, calls]).toEqual([0, ['connected', 'skipped /orders,o-1,3 of orders']]);
    expect(out).toBe('gave up number 3 of /orders o-1\n');
    expect(await desk().run('skip', 'o-9')).toMatchObject({
      code: 1,
      err: 'nothing waits for an event of o-9: "list" shows what waits\n',
    });
  });
});
