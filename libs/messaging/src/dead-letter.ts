/** Where messages go that no retry can mend. */
export const deadLetterTopic = (topic: string) => `${topic}.dead-letter`;

/** What is read of a message, which is a Kafka message's shape. */
type Message = {
  key: Buffer | null;
  value: Buffer | null;
  offset: string;
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
};

export type DeadLetter<M extends Message = Message> = {
  message: M;
  topic: string;
  partition: number;
  error: unknown;
};

/**
 * The message as it is parked. A dead-letter topic is read by people and kept long, so secrets are taken out of what it
 * says. When that has changed the value, `dead-letter-redacted` says so: then a replay takes the original from where
 * `dead-letter-from` points, `topic/partition/offset`.
 */
export function letterOf(
  groupId: string,
  { topic, partition, message, error }: DeadLetter,
  redact: (text: string) => string,
) {
  const value = message.value?.toString('utf8');
  const redacted = value === undefined ? undefined : redact(value);
  const changed = redacted !== value;
  return {
    key: message.key,
    // The very bytes, where nothing was taken out: they may not be UTF-8.
    value: changed ? redacted! : message.value,
    headers: {
      ...cleanHeaders(message.headers, redact),
      'dead-letter-consumer': groupId,
      'dead-letter-from': `${topic}/${partition}/${message.offset}`,
      'dead-letter-reason': redact(error instanceof Error ? error.message : String(error)),
      ...(changed && { 'dead-letter-redacted': 'true' }),
    },
  };
}

function cleanHeaders(headers: Message['headers'] = {}, redact: (text: string) => string) {
  const clean = (value: Buffer | string): Buffer | string => {
    const text = value.toString();
    const redacted = redact(text);
    return redacted === text ? value : redacted;
  };
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(clean) : value === undefined ? value : clean(value),
    ]),
  );
}
