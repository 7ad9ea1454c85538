import type { Handlers } from './handler.ts';

/** A JSON Schema (draft 7 and later share what is used here). */
export type JsonSchema = { [keyword: string]: unknown };

export type AsyncApiOptions<S> = {
  /** The service's name, which is also its consumer group and the start of its operations' names. */
  service: string;
  description: string;
  version: string;
  /** Topic → event type → schema of its data. */
  sends?: Record<string, Record<string, S>>;
  /** The service's own handlers: what it reads of each event is what their schemas say. */
  receives?: Handlers;
  /** Turns a schema of the service's validator into a JSON Schema: `z.toJSONSchema`, for instance. */
  toJsonSchema: (schema: S) => JsonSchema;
};

type Message = { name: string; topic: string; action: 'send' | 'receive'; data: JsonSchema };

/**
 * The AsyncAPI 3.1 document of one service (https://www.asyncapi.com/docs/reference/specification/v3.1.0), made from the
 * very schemas that validate: what it sends, and of what it receives only the fields that it reads.
 * @throws when a handler has no schema, since then nobody could say what it reads
 */
export function asyncApiDocument<S>(options: AsyncApiOptions<S>) {
  const { service, description, version, receives = {}, sends = {}, toJsonSchema } = options;
  const messages = [
    ...messagesOf(sends, 'send', (schema) => toJsonSchema(schema)),
    ...messagesOf(receives, 'receive', ({ schema }, name) => {
      if (schema === undefined) throw new Error(`the handler of ${name} has no schema: make it with reads()`);
      return toJsonSchema(schema as S);
    }),
  ];
  const topics = [...new Set(messages.map(({ topic }) => topic))].sort();
  return {
    asyncapi: '3.1.0',
    info: { title: `Cairn ${service}`, version, description },
    defaultContentType: 'application/cloudevents+json',
    channels: Object.fromEntries(topics.map((topic) => [topic, channelOf(topic, messages)])),
    operations: Object.fromEntries(messages.map((message) => [idOf(message), operationOf(service, message)])),
    components: {
      messages: Object.fromEntries(messages.map((message) => [idOf(message), messageOf(message)])),
    },
  };
}

function messagesOf<T>(
  byTopic: Record<string, Record<string, T>>,
  action: Message['action'],
  dataOf: (of: T, name: string) => JsonSchema,
): Message[] {
  return Object.entries(byTopic).flatMap(([topic, types]) =>
    Object.entries(types).map(([name, of]) => ({ name, topic, action, data: dataOf(of, name) })),
  );
}

const idOf = ({ action, name }: Message) => `${action}.${name}`;

function channelOf(topic: string, messages: Message[]) {
  const inTopic = messages.filter((message) => message.topic === topic);
  return {
    address: topic,
    messages: Object.fromEntries(
      inTopic.map((message) => [idOf(message), { $ref: `#/components/messages/${idOf(message)}` }]),
    ),
  };
}

function operationOf(service: string, message: Message) {
  const { action, topic } = message;
  return {
    action,
    channel: { $ref: `#/channels/${topic}` },
    messages: [{ $ref: `#/channels/${topic}/messages/${idOf(message)}` }],
    ...(action === 'receive' && {
      bindings: { kafka: { groupId: { type: 'string', const: service }, bindingVersion: '0.5.0' } },
    }),
  };
}

function messageOf({ name, data }: Message) {
  const { $schema: _, ...dataSchema } = data;
  return {
    name,
    contentType: 'application/cloudevents+json',
    payload: envelopeOf(name, dataSchema),
    bindings: {
      kafka: { key: { type: 'string', description: "the event's subject" }, bindingVersion: '0.5.0' },
    },
  };
}

/** CloudEvents 1.0 in its structured mode (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). */
function envelopeOf(type: string, data: JsonSchema): JsonSchema {
  const text = { type: 'string', minLength: 1 };
  return {
    type: 'object',
    required: ['specversion', 'id', 'source', 'type', 'subject', 'time', 'data'],
    properties: {
      specversion: { const: '1.0' },
      id: text,
      source: text,
      type: { const: type },
      subject: text,
      time: { type: 'string', format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      correlationid: text,
      traceparent: text,
      sequence: { type: 'string', pattern: '^[1-9][0-9]*$' },
      sequencetype: { const: 'Integer' },
      data,
    },
  };
}
