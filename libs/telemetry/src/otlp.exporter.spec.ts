import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { testTelemetry, until } from './telemetry.fixture.ts';

// Real: the exporters of the SDK and a server that takes what they send, refuses it, or never answers.
type Answer = 'takes' | 'refuses' | 'hangs';
type Taken = { path: string; body: { resourceSpans?: unknown[]; resourceMetrics?: unknown[] } };

let server: Server | undefined;
let test: ReturnType<typeof testTelemetry> | undefined;

async function endpoint(how: () => Answer): Promise<{ url: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      taken.push({ path: request.url!, body: JSON.parse(Buffer.concat(chunks).toString()) as Taken['body'] });
      const answer = how();
      // 400 is not worth another try, so that the exporter reports it at once.
      if (answer !== 'hangs') response.writeHead(answer === 'takes' ? 200 : 400).end('{}');
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, taken };
}

afterEach(async () => {
  jest.useRealTimers();
  server?.closeAllConnections();
  server?.close();
  await test?.telemetry.shutdown();
});

const span = () => test!.telemetry.inSpan('work', {}, async () => {});
/** A batch is sent as soon as it is full. */
const batch = async () => {
  for (let i = 0; i < 512; i++) await span();
};

describe('an OTLP endpoint', () => {
  it('gets the spans and metrics that are left when the process ends, as JSON', async () => {
    const { url, taken } = await endpoint(() => 'takes');
    test = testTelemetry({ service: 'orders', version: '1.2.3' }, { endpoint: url, environment: 'test' });
    await span();
    test.telemetry.counter('orders.confirmed', { unit: '{order}', description: 'd' }).add(1);
    await test.telemetry.shutdown();
    expect(taken.map(({ path }) => path).sort()).toEqual(['/v1/metrics', '/v1/traces']);
    const text = JSON.stringify(taken);
    for (const part of ['"work"', 'orders.confirmed', 'deployment.environment.name', '1.2.3']) {
      expect(text).toContain(part);
    }
  });

  it('that is away is one problem per outage, not one per batch, and told even to who listens late', async () => {
    let answer: Answer = 'refuses';
    const { url, taken } = await endpoint(() => answer);
    test = testTelemetry({}, { endpoint: url });
    const problems: string[] = [];
    await batch();
    await until(() => taken.length === 1);
    await batch();
    await until(() => taken.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    test.telemetry.onProblem(({ message }) => problems.push(message));
    expect(problems).toEqual([expect.stringMatching(/^the export of spans failed: /)]);
    answer = 'takes';
    await batch();
    await until(() => taken.length === 3);
    answer = 'refuses';
    // Well again, so the next one is an outage of its own.
    for (let sent = 4; problems.length < 2; sent++) {
      await batch();
      await until(() => taken.length >= sent);
    }
    expect(problems).toHaveLength(2);
  }, 20_000);

  it('that never answers costs spans, which are counted, and 3 s when the process ends', async () => {
    const { url } = await endpoint(() => 'hangs');
    test = testTelemetry({}, { endpoint: url });
    for (let i = 0; i < 3000; i++) await span();
    const [dropped] = await test.metrics('otel_sdk_processor_span_processed_total');
    expect(dropped).toMatch(/error_type="queue_full"\} \d+$/);
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    let ended = false;
    const end = test.telemetry.shutdown().then(() => (ended = true));
    await jest.advanceTimersByTimeAsync(2900);
    expect(ended).toBe(false);
    await jest.advanceTimersByTimeAsync(100);
    await end;
    test = undefined;
  }, 20_000);
});
