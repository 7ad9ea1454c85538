import type { Admin, Kafka } from 'kafkajs';
import {
  byPlace,
  deadLetterTopic,
  readLetter,
  reasonOf,
  UnknownLetterError,
  type DeadLetter,
  type Letter,
  type LetterFilter,
  type LetterOutcome,
  type LetterProgress,
  type ReceivedMessage,
} from './dead-letter.ts';
import { everythingIn, partitionsOf, readRanges } from './ranges.kafka.ts';

export type DeadLettersOptions = {
  kafka: Kafka;
  admin: () => Promise<Admin>;
  send: (topic: string, messages: { key: string; value: null }[]) => Promise<void>;
  park: (letter: DeadLetter) => Promise<void>;
  groupId: string;
  topics: string[];
};

/**
 * The dead letters of one consumer: what it could not handle, to be looked at, handled after all, or given up. Reads and
 * writes the dead-letter topics beside the consumer, which may run meanwhile. Nothing of it stays on the broker but the
 * marks of letters that are gone.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** By topic, partition and offset of the messages. Reads the dead-letter topics from their beginning. */
  async list({ topic, key }: LetterFilter = {}): Promise<Letter[]> {
    const { kafka, groupId, topics } = this.#options;
    const admin = await this.#options.admin();
    const letters = new Map<string, Letter>();
    const each = (message: ReceivedMessage) => {
      const letter = readLetter(message);
      if (letter) letters.set(letter.id, letter);
      else letters.delete(String(message.key));
    };
    const wanted = topics.filter((one) => topic === undefined || one === topic);
    const ranges = await everythingIn(admin, wanted.map(deadLetterTopic));
    await readRanges(kafka, admin, { ranges, groupId, each });
    return [...letters.values()]
      .filter((letter) => letter.groupId === groupId && (key === undefined || letter.key === key))
      .sort(byPlace);
  }

  /** Keeps a message that cannot be handled. Once or twice is the same. */
  async park(letter: DeadLetter): Promise<void> {
    await this.#options.park(letter);
  }

  /** @throws UnknownLetterError */
  async show(id: string): Promise<Letter> {
    return chosen(await this.list(), [id])[0]!;
  }

  /**
   * Hands each message to `deliver`, and forgets its letter when that resolves; a letter whose message fails again is
   * kept, and so are the later ones of its key, which must not overtake it. Killed in between, it may be replayed once
   * more: as with every delivery, the inbox makes that one effect. In the order of the messages, whatever that of `ids`.
   * @throws UnknownLetterError before anything is replayed
   */
  replay(
    ids: string[] | 'all',
    deliver: (message: ReceivedMessage) => Promise<'done' | 'held'>,
    onProgress: LetterProgress = () => {},
  ): Promise<LetterOutcome[]> {
    const failed = new Map<string, string>();
    return this.#each(ids, onProgress, async (letter) => {
      const key = `${letter.topic}/${letter.partition}/${letter.key}`;
      const before = letter.key === null ? undefined : failed.get(key);
      if (before) return { letter, outcome: 'kept', reason: `waits for ${before}, which is of the same key` };
      try {
        return { letter, outcome: await deliver(await this.#original(letter)) };
      } catch (error) {
        failed.set(key, letter.id);
        return { letter, outcome: 'kept', reason: reasonOf(error) };
      }
    });
  }

  /**
   * Forgets letters without handling their messages; `release` is called before, to let go on what waits for them.
   * @throws UnknownLetterError before anything is dropped
   */
  drop(
    ids: string[] | 'all',
    release: (letter: Letter) => Promise<unknown> = async () => {},
    onProgress: LetterProgress = () => {},
  ): Promise<LetterOutcome[]> {
    return this.#each(ids, onProgress, async (letter) => {
      try {
        await release(letter);
        return { letter, outcome: 'done' };
      } catch (error) {
        return { letter, outcome: 'kept', reason: reasonOf(error) };
      }
    });
  }

  /** One after the other. */
  async #each(
    ids: string[] | 'all',
    onProgress: LetterProgress,
    work: (letter: Letter) => Promise<LetterOutcome>,
  ): Promise<LetterOutcome[]> {
    const all = await this.list();
    const letters = ids === 'all' ? all : chosen(all, ids).sort(byPlace);
    const outcomes: LetterOutcome[] = [];
    for (const letter of letters) {
      const told = await work(letter);
      if (told.outcome !== 'kept')
        await this.#options.send(deadLetterTopic(letter.topic), [{ key: letter.id, value: null }]);
      outcomes.push(told);
      onProgress({ ...told, n: outcomes.length, of: letters.length });
    }
    return outcomes;
  }

  /** The message that was consumed: from the letter, or from its topic where a secret was taken out of the letter. */
  async #original(letter: Letter): Promise<ReceivedMessage> {
    const { topic, partition, offset, message, redacted, event } = letter;
    if (!redacted) return { ...message, topic, partition };
    const { kafka, groupId } = this.#options;
    const admin = await this.#options.admin();
    const start = Number(offset);
    const there = (await partitionsOf(admin, topic)).find((range) => range.partition === partition);
    let original: ReceivedMessage | undefined;
    if (there && start >= there.start && start < there.end) {
      const range = { topic, partition, start, end: start + 1 };
      await readRanges(kafka, admin, { ranges: [range], groupId, each: (found) => (original = found) });
    }
    if (!original)
      throw new Error(
        `a secret was taken out of this letter, and its original at ${topic}/${partition}/${offset} is gone: the topic no longer keeps it`,
      );
    // A topic that was deleted and made again counts from 0 again.
    if (event.id !== undefined && !String(original.value).includes(event.id))
      throw new Error(`the message at ${topic}/${partition}/${offset} is another one by now`);
    return original;
  }
}

function chosen(letters: Letter[], ids: string[]): Letter[] {
  const byId = new Map(letters.map((letter) => [letter.id, letter]));
  const unknown = ids.filter((id) => !byId.has(id));
  if (unknown.length > 0) throw new UnknownLetterError(unknown);
  return [...new Set(ids)].map((id) => byId.get(id)!);
}
