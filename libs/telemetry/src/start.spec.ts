import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const INDEX = pathToFileURL(join(import.meta.dirname, 'index.ts')).href;

/** Starts telemetry in a process of its own, and says what of OpenTelemetry was loaded, and what else it says. */
function inProcess(env: NodeJS.ProcessEnv, then: string) {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load(url, context, next) {
      const name = /@opentelemetry\\/([a-z-]+)/.exec(url)?.[1];
      if (name) loaded.add(name);
      return next(url, context);
    } });
    const { startTelemetry } = await import(${JSON.stringify(INDEX)});
    const telemetry = await startTelemetry({ service: 'test', instrumentations: [] });
    const said = await (async () => { ${then} })();
    console.log(JSON.stringify({ loaded: [...loaded].sort(), said }));
    process.exit();`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--conditions=@cairn/source', '--input-type=module', '-'],
    { input: program, encoding: 'utf8', env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 },
  );
  if (!stdout.startsWith('{')) throw new Error(stdout + stderr);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { loaded: string[]; said: unknown };
}

/** Everything there is, called once. */
const USE_ALL = `
  telemetry.httpHooks({ addHook() { throw new Error('a hook was added'); } });
  telemetry.gauge('not a name', { unit: '', description: '', read: () => 1 });
  telemetry.counter('x', { unit: '', description: '' }).add(1);
  telemetry.observeFlow({});
  telemetry.onProblem(() => {});
  telemetry.recordError(new Error('x'));
  telemetry.meter.createHistogram('x').record(1);
  telemetry.messaging.parked({ topic: 't', groupId: 'g' });
  const event = { id: '1', type: 't', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const sent = telemetry.messaging.published({ topic: 't', key: 'k', event });
  const handled = await telemetry.messaging.process({ event }, async () => telemetry.traceparent() ?? 'no trace');
  const inSpan = await telemetry.inSpan('x', {}, async (span) => [span.isRecording(), telemetry.traceFields() ?? 'none']);
  const routes = { '/prestop': async () => ({ body: 'ok' }) };
  const server = await telemetry.serveMetrics({ port: 0, host: '127.0.0.1', routes });
  const asked = ['/metrics', '/prestop'].map(async (path) => (await fetch('http://127.0.0.1:' + server.port + path)).status);
  const statuses = await Promise.all(asked);
  await server.close();
  await telemetry.shutdown();
  return { enabled: telemetry.enabled, sent: sent ?? 'nothing', handled, inSpan, statuses };`;

describe('startTelemetry', () => {
  it('does nothing and loads nothing of the SDK when OTEL_SDK_DISABLED is true, but keeps other routes', () => {
    expect(inProcess({ OTEL_SDK_DISABLED: 'true' }, USE_ALL)).toEqual({
      loaded: ['api'],
      said: {
        enabled: false,
        sent: 'nothing',
        handled: 'no trace',
        inSpan: [false, 'none'],
        statuses: [404, 200],
      },
    });
  }, 30_000);

  it('loads the SDK otherwise, and no exporter, not even with an endpoint: that waits for the first batch', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const { loaded, said } = inProcess(env, 'return telemetry.enabled');
    expect(said).toBe(true);
    expect(loaded).toEqual(expect.arrayContaining(['sdk-trace', 'sdk-metrics']));
    expect(loaded.filter((name) => /exporter|otlp|instrumentation/.test(name))).toEqual([]);
  }, 30_000);

  it('does nothing in a worker thread, which inherits --import', () => {
    const thread = `
      import { parentPort } from 'node:worker_threads';
      import { startTelemetry } from ${JSON.stringify(INDEX)};
      parentPort.postMessage((await startTelemetry({ service: 'test' })).enabled);`;
    const worker = `
      const { Worker } = await import('node:worker_threads');
      const thread = new Worker(${JSON.stringify(thread)}, { eval: true });
      return new Promise((resolve, reject) => thread.on('message', resolve).on('error', reject));`;
    expect(inProcess({}, worker).said).toBe(false);
  }, 30_000);

  it('neither fails nor prints anything over variables that make no sense', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense',
      OTEL_TRACES_SAMPLER_ARG: 'all',
      OTEL_TRACES_SAMPLER: 'no-such-sampler',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
      OTEL_ATTRIBUTE_COUNT_LIMIT: 'x',
    };
    expect(inProcess(env, 'return telemetry.enabled').said).toBe(true);
  }, 30_000);
});
