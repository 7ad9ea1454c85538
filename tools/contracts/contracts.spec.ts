import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { breaks, type Schema } from './compare.ts';
import { documents, examples, flows, olderExamples, unreadVersions, type Flow } from './contracts.file.ts';

/** What the AsyncAPI documents and the examples say to each other; that they say what the code does is tested in each app. */
const ajv = new Ajv({ strict: false, allErrors: true });
(addFormats as unknown as (ajv: Ajv) => void)(ajv);
const asyncApi = JSON.parse(
  readFileSync(
    createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.1.0-without-$id.json'),
    'utf8',
  ),
) as object;

const all = flows();
const sending = all.filter(({ action }) => action === 'send');
const receiving = all.filter(({ action }) => action === 'receive');
const readersOf = (type: string) => receiving.filter((flow) => flow.type === type);
const writersOf = (type: string) => sending.filter((flow) => flow.type === type);
const dataOf = ({ payload }: Flow) => payload.properties!['data']!;
const pairs = receiving.flatMap((reader) =>
  writersOf(reader.type).map(
    (writer) => [`${reader.service} reads ${reader.type} of ${writer.service}`, writer, reader] as const,
  ),
);
const problemsOf = (schema: Schema, value: unknown) => {
  const validate = ajv.compile(schema);
  return validate(value)
    ? []
    : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
};

describe('the AsyncAPI documents', () => {
  // It brings the schema of JSON Schema itself along, which Ajv has too: `meta` off, or there would be two.
  const validate = new Ajv({
    strict: false,
    allErrors: true,
    meta: false,
    validateSchema: false,
    validateFormats: false,
  }).compile(asyncApi);

  it.each(documents().map(({ service, document }) => [service, document] as const))(
    'that of %s is valid by the schema of AsyncAPI 3.1',
    (_, document) => {
      expect(validate(document) ? [] : validate.errors).toEqual([]);
    },
  );

  it('would not be valid with an operation that neither sends nor receives', () => {
    const [{ document }] = documents() as [ReturnType<typeof documents>[0]];
    const broken = structuredClone(document);
    Object.values(broken.operations)[0]!.action = 'publish' as Flow['action'];
    expect(validate(broken)).toBe(false);
  });

  it('leave nobody to wait for an event that no service sends, and name topics alike', () => {
    expect(receiving.filter(({ type }) => writersOf(type).length === 0)).toEqual([]);
    expect(pairs.filter(([, writer, reader]) => writer.topic !== reader.topic)).toEqual([]);
  });
});

describe('the examples in contracts/events', () => {
  it('are one for each event that is sent, and for no other', () => {
    const types = (of: { type: string }[]) => [...new Set(of.map(({ type }) => type))].sort();
    expect(types(examples())).toEqual(types(sending));
  });

  it.each(examples().map((example) => [example.type, example] as const))(
    '%s can be sent, and read',
    (type, { event }) => {
      for (const flow of [...writersOf(type), ...readersOf(type)])
        expect({ service: flow.service, problems: problemsOf(flow.payload, event) }).toEqual({
          service: flow.service,
          problems: [],
        });
    },
  );

  it.each(olderExamples().map((example) => [example.file.split('/').slice(-2).join('/'), example] as const))(
    'as it was sent before, %s can still be read',
    (_, { type, event }) => {
      expect(readersOf(type).flatMap((flow) => problemsOf(flow.payload, event))).toEqual([]);
    },
  );

  it('would not be read without a field that somebody reads', () => {
    const { event } = examples().find(({ type }) => type === 'order.paid.v1')!;
    const { paidAt: _, ...data } = event['data'] as Record<string, unknown>;
    expect(
      readersOf('order.paid.v1').flatMap((flow) => problemsOf(flow.payload, { ...event, data })),
    ).not.toEqual([]);
  });
});

describe('what is sent, compared with what is read', () => {
  it.each(pairs)('%s: nothing breaks', (_, writer, reader) => {
    expect(breaks(dataOf(writer), dataOf(reader))).toEqual([]);
  });

  it.each(pairs)(
    '%s: to take a field away that it reads, to send it sometimes, or otherwise, breaks',
    (_, writer, reader) => {
      const read = dataOf(reader).required ?? [];
      expect(read.length).toBeGreaterThan(0);
      for (const field of read) {
        const without = structuredClone(dataOf(writer));
        delete without.properties![field];
        const sometimes = structuredClone(dataOf(writer));
        sometimes.required = sometimes.required!.filter((name) => name !== field);
        const otherwise = structuredClone(dataOf(writer));
        otherwise.properties![field] = { type: 'boolean' };
        for (const changed of [without, sometimes, otherwise])
          expect(breaks(changed, dataOf(reader))).toContainEqual(expect.stringContaining(`data.${field}`));
      }
    },
  );

  it('readers of a version read the older ones of which there are examples', () => {
    const known = [...examples(), ...olderExamples()].map(({ type }) => type);
    expect(unreadVersions(receiving, known)).toEqual([]);
    const newer = receiving.map((flow) => ({
      ...flow,
      type: flow.type.replace('order.paid.v1', 'order.paid.v2'),
    }));
    expect(unreadVersions(newer, known)).toContain('worker reads order.paid.v2 and not order.paid.v1');
  });
});

describe('the comparison', () => {
  const text: Schema = { type: 'string' };
  const object = (properties: Record<string, Schema>, required = Object.keys(properties)): Schema => ({
    type: 'object',
    properties,
    required,
  });

  it.each([
    ['more fields than are read', object({ a: text, b: text }), object({ a: text })],
    ['an integer that is read as a number', { type: 'integer' }, { type: 'number' }],
    ['one of two words, where three are understood', { enum: ['a', 'b'] }, { enum: ['a', 'b', 'c'] }],
    ['a uuid that is read as a text', { type: 'string', format: 'uuid' }, text],
    ['a text that may be left out, and is read so', object({ a: text }, []), object({ a: text }, [])],
    [
      'either of two, both of which are understood',
      { anyOf: [text, { type: 'null' }] },
      { anyOf: [{ type: 'null' }, text] },
    ],
  ] as [string, Schema, Schema][])('lets %s pass', (_, writer, reader) => {
    expect(breaks(writer, reader)).toEqual([]);
  });

  it.each([
    [
      'a number that is read as an integer',
      { type: 'number' },
      { type: 'integer' },
      'data is number, and is read as integer',
    ],
    ['a word that is not understood', { enum: ['a', 'b'] }, { enum: ['a'] }, 'data may be other than ["a"]'],
    [
      'any text where a uuid is read',
      text,
      { type: 'string', format: 'uuid' },
      'data is read as format uuid, and sent as any',
    ],
    [
      'a list of other things',
      { type: 'array', items: text },
      { type: 'array', items: { type: 'number' } },
      'data[] is string, and is read as number',
    ],
    [
      'null where a text is read',
      { anyOf: [text, { type: 'null' }] },
      text,
      'data is null, and is read as string',
    ],
  ] as [string, Schema, Schema, string][])('finds %s', (_, writer, reader, problem) => {
    expect(breaks(writer, reader)).toEqual([problem]);
  });
});
