import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { beginTrace } from '@cairn/tools/demo/traces.client.ts';
import { readRaw, writeRaw } from '@cairn/tools/demo/topic.reader.ts';
import { waitFor } from '@cairn/tools/demo/wait.ts';
import { APPS } from '@cairn/tools/local/apps.ts';
import { fetchToken } from '@cairn/tools/local/token.ts';
import { logFile } from '@cairn/tools/stack/paths.ts';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { canary, findings, kinds, type Canary, type Kind } from './canaries.ts';
import { DRAFT, placeOrder, startSystem, type System } from './system.ts';

/**
 * Secrets come in by every header, path, query, body and event, and none of them goes out: not into a log, a span, a
 * metric, a dead letter or an answer. Not looked at is where they belong, or where a caller has put them on purpose: the
 * databases, the e-mails, the topics themselves, and the answers that show a draft or an order as it was stored.
 *
 * Real: the whole system. Spans are caught as they are exported, by a collector of this test.
 */
let system: System;
let token: string;
let collector: Server;
let exported = '';
const answers: { from: string; text: string }[] = [];
const planted: Canary[] = [];
/** A word that is no secret, sent along everywhere: where it is not found, nobody looked. */
const MARKER = `marker-${randomUUID()}`;

beforeAll(async () => {
  collector = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      const plain = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      exported += plain.toString('utf8');
      response.setHeader('Content-Type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  system = await startSystem({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_TRACES_SAMPLER_ARG: '1',
    LOG_LEVEL: 'debug',
  });
  token = await fetchToken(`canary-${randomUUID()}`, 3600, system.places.issuer);
}, 90_000);
afterAll(async () => {
  await system?.stop();
  collector?.close().closeAllConnections();
});

function plant(place: string, kind: Kind): Canary {
  const one = canary(place, kind);
  planted.push(one);
  return one;
}

type Sent = { method?: string; url: string; headers?: Record<string, string>; body?: string };

/** By node:http, which sends whatever header and path it is given. */
async function send({ method = 'GET', url, headers = {}, body }: Sent, from: string) {
  const { origin } = new URL(url);
  const sent = request(origin, {
    method,
    path: url.slice(origin.length),
    headers: {
      authorization: `Bearer ${token}`,
      'x-correlation-id': MARKER,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const answer = `${response.rawHeaders.join('\n')}\n${await text(response)}`;
  answers.push({ from, text: answer });
  return { status: response.statusCode!, answer };
}

const HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'x-correlation-id',
  'traceparent',
  'tracestate',
  'baggage',
  'user-agent',
  'idempotency-key',
  'referer',
  'x-forwarded-for',
  'x-request-id',
  'content-type',
];
const FIELDS = ['email', 'currency', 'lines', 'password', 'cardNumber', 'note'];

describe('200 secrets, planted in all that comes in', () => {
  it('are sent in headers, paths, queries and bodies', async () => {
    const { orders, payments, notifications } = system.places;
    for (const header of HEADERS) {
      for (const kind of kinds.slice(0, 8)) {
        const { text } = plant(`the header ${header}`, kind);
        // A tracestate counts only beside a traceparent that is well formed.
        const beside: Record<string, string> =
          header === 'tracestate' ? { traceparent: beginTrace().traceparent } : {};
        const value = header === 'tracestate' || header === 'baggage' ? `vendor=${text}` : text;
        await send(
          {
            method: 'POST',
            url: `${orders}/api/v1/orders`,
            headers: { ...beside, [header]: value },
            body: '{}',
          },
          `header ${header}`,
        );
      }
    }
    for (const kind of kinds) {
      const encoded = (place: string) => encodeURIComponent(plant(place, kind).text);
      await send({ url: `${orders}/api/v1/orders/${encoded('the path of an order')}` }, 'path');
      await send({ url: `${payments}/api/v1/payments/${encoded('the path of a payment')}` }, 'path');
      await send({ url: `${orders}/nowhere/${encoded('a path that is not there')}` }, 'path');
      await send({ url: `${orders}/api/v1/orders/${encoded('a path not well formed')}%zz` }, 'path');
      await send({ url: `${orders}/api/v1/orders?after=${encoded('a query')}` }, 'query');
      await send({ url: `${notifications}/api/v1/notifications?orderId=${encoded('an id')}` }, 'query');
    }
    for (const [i, field] of FIELDS.entries()) {
      for (const kind of kinds.slice(i % 2 ? 5 : 0, i % 2 ? 11 : 6)) {
        const body = JSON.stringify({ ...DRAFT, [field]: plant(`the field ${field}`, kind).text });
        await send({ method: 'PUT', url: `${orders}/api/v1/drafts/${randomUUID()}`, body }, `field ${field}`);
      }
    }
    for (const kind of kinds) {
      const body = `{"password": ${plant('JSON that is none', kind).text}`;
      await send({ method: 'PUT', url: `${orders}/api/v1/drafts/${randomUUID()}`, body }, 'broken JSON');
    }
  }, 60_000);

  it('are in an order that is taken, charged and refused', async () => {
    const shop = await system.customer();
    const cardToken = plant('the card token of an order', 'card token').text;
    const { id } = await placeOrder(shop, cardToken);
    const settled = await waitFor('the payment', async () => {
      const { state } = await shop.order(id);
      return state === 'pending' ? undefined : state;
    });
    // The gateway does not know such a token; what it says of it goes through payments and orders.
    expect(settled).toBe('payment_failed');
  }, 60_000);

  it('are in events, good and poisonous, of which the latter become dead letters', async () => {
    const { brokers } = system.places;
    const envelope = (type: string, data: object, more: object = {}) =>
      JSON.stringify({
        ...{ specversion: '1.0', id: randomUUID(), type, source: '/canary', subject: randomUUID() },
        ...{ time: new Date().toISOString(), datacontenttype: 'application/json', correlationid: MARKER },
        ...more,
        data,
      });
    const poison = kinds.flatMap((kind) => {
      const text = (place: string) => plant(place, kind).text;
      const headers = { note: text('a header of an event'), traceparent: text('a traceparent of an event') };
      return [
        { value: `{"marker":"${MARKER}", "password": ${text('an event that is no JSON')}` },
        { value: envelope('payment.succeeded.v1', { orderId: text('a field of an event'), marker: MARKER }) },
        {
          headers,
          value: envelope('payment.failed.v1', { marker: MARKER, note: text('a further field') }),
        },
      ];
    });
    const good = kinds.map((kind) => ({
      value: envelope(
        'job.due.v1',
        { job: 'nobody-knows-it', tick: new Date().toISOString(), note: plant('a good event', kind).text },
        { correlationid: plant('the correlation id of an event', kind).text },
      ),
    }));
    await writeRaw(brokers, 'payments', poison);
    await writeRaw(brokers, 'jobs', good);
    await waitFor(
      'the poison to be parked',
      async () => {
        const letters = await readRaw(brokers, /^payments\.dead-letter$/);
        return letters.filter((letter) => letter.includes(MARKER)).length >= poison.length || undefined;
      },
      { timeoutMs: 40_000, everyMs: 500 },
    );
    expect(planted.length).toBeGreaterThanOrEqual(200);
  }, 90_000);

  it('are found nowhere that they do not belong', async () => {
    const metrics = await Promise.all(
      APPS.map((app) =>
        fetch(`http://127.0.0.1:${system.launch.ports[`${app}Metrics`]}/metrics`).then((reply) =>
          reply.text(),
        ),
      ),
    );
    const letters = await readRaw(system.places.brokers, /\.dead-letter$/);
    // An orderly end writes out what logs and spans still hold back.
    await Promise.all(APPS.map((app) => system.world.running.get(app)?.stop()));
    const logs = APPS.map((app) => logFile('test', app)).filter(existsSync);
    const sources: [string, string][] = [
      ...logs.map((file): [string, string] => [
        `the log ${file.split('/').at(-1)!}`,
        readFileSync(file, 'utf8'),
      ]),
      ['spans', exported],
      ['metrics', metrics.join('\n')],
      ['dead letters', letters.join('\n')],
      ...answers.map(({ from, text }): [string, string] => [`the answer to ${from}`, text]),
    ];
    const looked = sources.filter(([, text]) => text.includes(MARKER)).map(([source]) => source);
    expect(looked).toEqual(expect.arrayContaining(['the log orders.log', 'spans', 'dead letters']));
    expect(answers.some(({ text }) => text.includes(MARKER))).toBe(true);
    expect(metrics.join()).toContain('http_server_request_duration');
    expect([...new Set(sources.flatMap(([source, text]) => findings(planted, text, source)))]).toEqual([]);
  }, 60_000);
});
