/** Where messages go that no retry can mend. */
export const deadLetterTopic = (topic: string) => `${topic}.dead-letter`;

type Headers = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

/** What is read of a message, which is a Kafka message's shape. */
type Message = {
  key: Buffer | null;
  value: Buffer | null;
  offset: string;
  headers?: Headers;
};

export type DeadLetter<M extends Message = Message> = {
  message: M;
  topic: string;
  partition: number;
  error: unknown;
};

/** A message as it was consumed, from wherever it is read again. */
export type ReceivedMessage = Message & { topic: string; partition: number };

/** A dead letter as it is read back. */
export type Letter = {
  /** `<group>/<topic>/<partition>/<offset>`: which consumer could not handle which message. */
  id: string;
  groupId: string;
  topic: string;
  partition: number;
  offset: string;
  /** The message's own key. */
  key: string | null;
  /** When it was parked; letters of the first form do not say. */
  at: Date | undefined;
  reason: string;
  stack: string | undefined;
  /** True when a secret was taken out: then the message is not what was consumed, which is where the id says. */
  redacted: boolean;
  /** What the message says that it is, as far as it can be read. */
  event: { id?: string; type?: string; source?: string; subject?: string; sequence?: string };
  message: Message;
};

/**
 * What became of a letter: `done` is handled or dropped, `held` is no letter any more but waits for a message before it,
 * `kept` is still there, and `reason` says why.
 */
export type LetterOutcome =
  { letter: Letter; outcome: 'done' | 'held' } | { letter: Letter; outcome: 'kept'; reason: string };

export type LetterProgress = (told: LetterOutcome & { n: number; of: number }) => void;

export type LetterFilter = {
  /** Only of messages of this topic. */
  topic?: string;
  /** Only of messages with this key. */
  key?: string;
};

/** No letter has this id: it was never parked, or has been replayed or dropped. */
export class UnknownLetterError extends Error {
  readonly code = 'unknown_letter';
  readonly ids: string[];
  constructor(ids: string[]) {
    super(`there is no dead letter ${ids.join(', ')}: "list" shows which there are`);
    this.name = 'UnknownLetterError';
    this.ids = ids;
  }
}

/** What the broker takes in one message by default is 1 MiB; a letter is as long as its message, and says more. */
export const DEAD_LETTER_MAX_BYTES = 2 * 1024 * 1024;
const MAX_REASON = 2000;
const MAX_STACK = 8000;
const OWN = 'dead-letter-';

/**
 * The message as it is parked. Its key names the consumer and the message, and the topic is compacted: parking twice, as
 * a process does that was killed between parking and its offset's commit, leaves one letter. A dead-letter topic is read
 * by people and kept long, so secrets are taken out of what it says. When that has changed the value or the key,
 * `dead-letter-redacted` says so: then a replay takes the original from where `dead-letter-from` points,
 * `topic/partition/offset`.
 */
export function letterOf(
  groupId: string,
  { topic, partition, message, error }: DeadLetter,
  redact: (text: string) => string,
  at = new Date(),
) {
  const from = `${topic}/${partition}/${message.offset}`;
  const value = cleaned(message.value, redact);
  const key = cleaned(message.key, redact);
  return {
    key: `${groupId}/${from}`,
    // A null value would delete the letter.
    value: value ?? Buffer.alloc(0),
    headers: {
      ...cleanHeaders(message.headers, redact),
      'dead-letter-consumer': groupId,
      'dead-letter-from': from,
      'dead-letter-at': at.toISOString(),
      'dead-letter-reason': shortened(redact(reasonOf(error)), MAX_REASON),
      ...(error instanceof Error && { 'dead-letter-stack': shortened(redact(stackOf(error)), MAX_STACK) }),
      ...(key !== null && { 'dead-letter-key': key }),
      ...(value === null && { 'dead-letter-null': 'true' }),
      ...((value !== message.value || key !== message.key) && { 'dead-letter-redacted': 'true' }),
    },
  };
}

/** The other way round; undefined for what is no letter, such as the mark of one that is gone. */
export function readLetter(message: Message): Letter | undefined {
  const header = (name: string) => message.headers?.[`${OWN}${name}`]?.toString();
  const groupId = header('consumer');
  const place = /^(.+)\/(\d+)\/(\d+)$/.exec(header('from') ?? '');
  if (groupId === undefined || place === null) return undefined;
  const [from, topic = '', partition, offset = ''] = place;
  const id = `${groupId}/${from}`;
  const at = header('at');
  const reason = header('reason') ?? '';
  const original: Message = {
    // Letters of the first form kept the message's key.
    key: message.key?.toString() === id ? bytesOf(message.headers?.[`${OWN}key`]) : message.key,
    value: header('null') === 'true' ? null : message.value,
    offset,
    headers: Object.fromEntries(
      Object.entries(message.headers ?? {}).filter(([name]) => !name.startsWith(OWN)),
    ),
  };
  return {
    ...{ id, groupId, topic, partition: Number(partition), offset, reason },
    key: original.key?.toString() ?? null,
    at: at === undefined ? undefined : new Date(at),
    stack: header('stack'),
    redacted: header('redacted') === 'true',
    event: attributesOf(original.value),
    message: original,
  };
}

/** A letter of the first form as it would be parked today; undefined for one that is. */
export function rekeyed(message: Message) {
  const letter = readLetter(message);
  if (!letter || message.key?.toString() === letter.id) return undefined;
  return {
    key: letter.id,
    value: message.value ?? Buffer.alloc(0),
    headers: {
      ...message.headers,
      ...(message.key !== null && { [`${OWN}key`]: message.key }),
      ...(message.value === null && { [`${OWN}null`]: 'true' }),
    },
  };
}

/** By place, so that letters of one key stand in the order in which their messages were written. */
export function byPlace(a: Letter, b: Letter): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition || Number(a.offset) - Number(b.offset);
}

function attributesOf(value: Buffer | null): Letter['event'] {
  let event: unknown;
  try {
    event = JSON.parse(String(value));
  } catch {
    return {}; // not JSON: that may be why it is here
  }
  const attributes = Object.entries(event ?? {}).filter(
    ([name, text]) =>
      ['id', 'type', 'source', 'subject', 'sequence'].includes(name) && typeof text === 'string',
  );
  return Object.fromEntries(attributes);
}

function bytesOf(header: Headers[string]): Buffer | null {
  if (header === undefined || Array.isArray(header)) return null;
  return Buffer.from(header);
}

/** The very bytes, where nothing is taken out: they may not be UTF-8. */
function cleaned<T extends Buffer | string>(bytes: T | null, redact: (text: string) => string) {
  if (bytes === null) return null;
  const text = bytes.toString();
  const redacted = redact(text);
  return redacted === text ? bytes : redacted;
}

function cleanHeaders(headers: Headers = {}, redact: (text: string) => string) {
  const clean = (value: Buffer | string) => cleaned(value, redact)!;
  return Object.fromEntries(
    Object.entries(headers)
      // A replayed message may have been a letter before; its new letter says anew what is wrong.
      .filter(([name]) => !name.startsWith(OWN))
      .map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(clean) : value === undefined ? value : clean(value),
      ]),
  );
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: Error, depth = 0): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error && depth < 5
    ? `${own}\ncaused by ${stackOf(error.cause, depth + 1)}`
    : own;
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)} … (${text.length} characters)`;
}
