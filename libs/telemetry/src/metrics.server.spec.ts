import { afterEach, describe, expect, it } from '@jest/globals';
import { serveMetrics, type MetricsRoute, type MetricsServer } from './metrics.server.ts';

let server: MetricsServer | undefined;
afterEach(() => server?.close());

const host = '127.0.0.1';
async function get(routes: Record<string, MetricsRoute>, path: string, metrics?: () => Promise<string>) {
  server = await serveMetrics({ port: 0, host, routes }, metrics);
  const response = await fetch(`http://${host}:${server.port}${path}`);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const flags: MetricsRoute = async () => ({ body: { html: true } });

describe('the metrics port', () => {
  it('answers /metrics in the text format that Prometheus scrapes', async () => {
    expect(await get({}, '/metrics?name=x', async () => 'up 1\n')).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      text: 'up 1\n',
    });
  });

  it('answers other routes as JSON, with their status', async () => {
    expect(await get({ '/flags': flags }, '/flags')).toMatchObject({ status: 200, text: '{"html":true}' });
    await server!.close();
    const draining: MetricsRoute = async ({ method }) => ({ status: 503, body: method });
    expect(await get({ '/prestop': draining }, '/prestop')).toMatchObject({ status: 503, text: '"GET"' });
  });

  it('says what there is when asked for something else', async () => {
    const answer = await get({ '/flags': flags }, '/', async () => '');
    expect(answer).toMatchObject({ status: 404, text: 'Not here. There are: /metrics /flags\n' });
  });

  it('answers 500 when a route fails, and goes on', async () => {
    const broken: MetricsRoute = () => Promise.reject(new Error('secret'));
    expect(await get({ '/broken': broken, '/flags': flags }, '/broken')).toMatchObject({
      status: 500,
      text: '',
    });
    expect((await fetch(`http://${host}:${server!.port}/flags`)).status).toBe(200);
  });

  it('says which place is taken', async () => {
    server = await serveMetrics({ port: 0, host });
    const { port } = server;
    await expect(serveMetrics({ port, host })).rejects.toThrow(
      `metrics cannot be served on 127.0.0.1:${port}: EADDRINUSE`,
    );
  });

  it('closes at once, though an answer is still to come', async () => {
    const asked = Promise.withResolvers<void>();
    const never: MetricsRoute = () => (asked.resolve(), new Promise(() => {}));
    const answer = get({ '/never': never }, '/never').catch((error: Error) => error.message);
    await asked.promise;
    await server!.close();
    expect(await answer).toBe('fetch failed');
  });
});
