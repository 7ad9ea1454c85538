import { Delivery, type DeliveryOptions, type Message } from './delivery.ts';
import { createEvent } from './event.ts';
import { memorySequence } from './sequence.fixture.ts';

export const GROUP = 'counter';

/** Number `sequence` of a subject, at an offset that follows from the number. */
export function counted(sequence: number, subject = 'a', type = 'counted.v1'): Message {
  const event = createEvent({
    id: `${subject}-${sequence}`,
    type,
    source: '/test',
    subject,
    sequence,
    data: {},
    time: new Date(0),
  });
  return messageOf(JSON.stringify(event), sequence);
}

export function messageOf(value: string, offset: number): Message {
  return {
    topic: 'counts',
    partition: 0,
    offset: String(100 + offset),
    key: null,
    value: Buffer.from(value),
  };
}

/** What outlives a process: its database and the dead-letter topic. */
export const newWorld = () => ({
  store: memorySequence(),
  inbox: new Set<string>(),
  effects: [] as string[],
  letters: [] as string[],
  seen: [] as string[],
});

/** A consumer with an inbox and an order in memory. `fail` may throw in place of the handler. */
export function counter(
  options: Partial<DeliveryOptions> = {},
  fail: (id: string) => void = () => {},
  world = newWorld(),
) {
  const { store, inbox, effects, letters, seen } = world;
  const note =
    (what: string) =>
    ({ offset }: { offset: string }) =>
      seen.push(`${what} ${Number(offset) - 100}`);
  const delivery = new Delivery({
    groupId: GROUP,
    handlers: {
      counts: {
        'counted.v1': async ({ id }) => {
          fail(id);
          if (!inbox.has(id)) effects.push(id);
          inbox.add(id);
        },
      },
    },
    park: async ({ message }) => {
      const letter = String(Number(message.offset) - 100);
      if (!letters.includes(letter)) letters.push(letter);
    },
    sequence: { store, topics: ['counts'] },
    onHeld: note('held'),
    onInverted: note('inverted'),
    onOld: note('old'),
    ...options,
  });
  return { delivery, ...world };
}
