import { describe, expect, it } from '@jest/globals';
import { HttpWire } from './wire-http.ts';
import { KafkaWire } from './wire-kafka.ts';
import { PostgresWire } from './wire-postgres.ts';
import { SmtpWire } from './wire-smtp.ts';
import type { Wire } from './wire.ts';

/** Everything at once, and byte by byte: TCP cuts where it likes. */
const CUTS = [Infinity, 1, 7];

function chunks(bytes: Buffer, size: number): Buffer[] {
  if (size === Infinity) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

/** A conversation in turns, `>` to the server and `<` back; answers what was seen, in order. */
function follow(wire: Wire, turns: [string, Buffer | string][], size: number): string[] {
  return turns.flatMap(([way, bytes]) =>
    chunks(Buffer.from(bytes as string, 'latin1'), size).flatMap((chunk) =>
      way === '>'
        ? wire
            .request(chunk)
            .map(({ what, within }) => ['>', what, ...within.map((one) => `[${one}]`)].join(' '))
        : wire
            .response(chunk)
            .map(({ request, ok, rows }) => `< ${request.what}: ${ok ? `ok, ${rows}` : 'failed'}`),
    ),
  );
}

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const framed = (...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length), body]);
};

describe.each(CUTS)('PostgreSQL on the wire, %s bytes a chunk', (size) => {
  const message = (type: string, body: string) =>
    Buffer.concat([Buffer.from(type), int32(body.length + 4), Buffer.from(body, 'latin1')]);
  const startUp = Buffer.concat([int32(16), int32(196608), Buffer.from('user\0a\0\0')]);
  const ready = message('Z', 'I');
  const begun: [string, Buffer][] = [
    ['>', startUp],
    ['<', Buffer.concat([message('R', '\0\0\0\0'), ready])],
  ];

  it('tells statements, what they follow in their transaction, rows and errors', () => {
    const seen = follow(
      new PostgresWire(),
      [
        ...begun,
        ['>', message('Q', 'START TRANSACTION\0')],
        ['<', ready],
        ['>', Buffer.concat([message('P', '\0INSERT INTO  inbox\n VALUES ($1)\0\0\0'), message('S', '')])],
        ['<', Buffer.concat([message('1', ''), message('D', 'row'), message('C', 'x\0'), ready])],
        ['>', message('Q', 'COMMIT\0')],
        ['<', ready],
        ['>', message('Q', 'SELECT nothing\0')],
        ['<', Buffer.concat([message('E', 'no such thing'), ready])],
      ],
      size,
    );
    expect(seen).toEqual([
      '> START TRANSACTION',
      '< START TRANSACTION: ok, 0',
      '> INSERT INTO inbox VALUES ($1)',
      '< INSERT INTO inbox VALUES ($1): ok, 1',
      '> COMMIT [INSERT INTO inbox VALUES ($1)]',
      '< COMMIT: ok, 0',
      '> SELECT nothing',
      '< SELECT nothing: failed',
    ]);
  });

  it('gets over a refused encryption', () => {
    const ssl = Buffer.concat([int32(8), int32(80877103)]);
    const turns: [string, Buffer][] = [
      ['>', ssl],
      ['<', Buffer.from('N')],
      ...begun,
      ['>', message('Q', 'X\0')],
    ];
    expect(follow(new PostgresWire(), turns, size)).toEqual(['> X']);
  });
});

describe.each(CUTS)('Kafka on the wire, %s bytes a chunk', (size) => {
  const text = (value: string) => Buffer.concat([int16(value.length), Buffer.from(value)]);
  const header = (api: number, version: number, id: number) =>
    Buffer.concat([int16(api), int16(version), int32(id), text('orders')]);
  const topic = (name: string) =>
    Buffer.concat([text(name), int32(1), int32(0), int32(5), Buffer.from('batch')]);

  it('tells the topics of a produce, the group of a commit, and the answer to each', () => {
    const produce = (version: number, id: number, ...topics: string[]) =>
      framed(
        header(0, version, id),
        ...(version >= 3 ? [int16(-1)] : []),
        ...[int16(-1), int32(1500), int32(topics.length), ...topics.map(topic)],
      );
    const seen = follow(
      new KafkaWire(),
      [
        ['>', Buffer.concat([produce(7, 1, 'orders', 'payments'), framed(header(8, 5, 2), text('orders'))])],
        ['<', Buffer.concat([framed(int32(1), Buffer.from('rest')), framed(int32(2))])],
        ['>', produce(2, 3, 'jobs')],
        ['>', framed(header(18, 2, 4))],
        ['<', framed(int32(4))],
      ],
      size,
    );
    expect(seen).toEqual([
      '> Produce orders payments',
      '> OffsetCommit orders',
      '< Produce orders payments: ok, 0',
      '< OffsetCommit orders: ok, 0',
      '> Produce jobs',
      '> API 18',
      '< API 18: ok, 0',
    ]);
  });
});

describe.each(CUTS)('HTTP on the wire, %s bytes a chunk', (size) => {
  it('tells a request by its head and an answer by its last byte', () => {
    const seen = follow(
      new HttpWire(),
      [
        ['>', 'POST /v1/charges HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody'],
        ['<', 'HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{'],
        ['<', '}'],
        ['>', 'PUT /a.pdf HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n'],
        ['<', 'HTTP/1.1 100 Continue\r\n\r\n'],
        ['>', '3;x=y\r\npdf\r\n0\r\n\r\n'],
        ['<', 'HTTP/1.1 412 Precondition Failed\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'],
        ['>', 'HEAD /a.pdf HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n'],
        ['<', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'],
      ],
      size,
    );
    expect(seen).toEqual([
      '> POST /v1/charges',
      '< POST /v1/charges: ok, 0',
      '> PUT /a.pdf',
      '< PUT /a.pdf: failed',
      '> HEAD /a.pdf',
      '> GET /b',
      '< HEAD /a.pdf: ok, 0',
      '< GET /b: ok, 0',
    ]);
  });
});

describe.each(CUTS)('SMTP on the wire, %s bytes a chunk', (size) => {
  it('tells commands, and a message by its last line', () => {
    const seen = follow(
      new SmtpWire(),
      [
        ['<', '220 hello\r\n'],
        ['>', 'EHLO a\r\n'],
        ['<', '250-a\r\n250 8BITMIME\r\n'],
        ['>', 'DATA\r\n'],
        ['<', '354 go on\r\n'],
        ['>', 'Subject: DATA\r\n\r\nHello\r\n..\r\n.\r\n'],
        ['<', '250 taken\r\n'],
        ['>', 'RCPT TO:<b>\r\n'],
        ['<', '550 no\r\n'],
      ],
      size,
    );
    expect(seen).toEqual([
      '< greeting: ok, 0',
      '> EHLO a',
      '< EHLO a: ok, 0',
      '> DATA',
      '< DATA: ok, 0',
      '> message',
      '< message: ok, 0',
      '> RCPT TO:<b>',
      '< RCPT TO:<b>: failed',
    ]);
  });
});
