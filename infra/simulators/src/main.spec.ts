import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, jest } from '@jest/globals';

// The real process, as it is run. It is killed after its test however that ended, even while it was starting.
const children = new Set<ChildProcess>();
afterEach(() => children.forEach((child) => child.kill('SIGKILL')));
jest.setTimeout(30_000);

function spawnMain(env: Record<string, string>) {
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main], {
    env: { GATEWAY_PORT: '0', ISSUER_PORT: '0', TRACES_PORT: '0', ...env },
  });
  children.add(child);
  const exit = once(child, 'exit').finally(() => children.delete(child));
  return { child, exit };
}

async function start(env: Record<string, string> = {}) {
  const { child, exit } = spawnMain(env);
  const urls: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const { simulator, msg } = JSON.parse(line);
    const url = /listening at (\S+)/.exec(msg)?.[1];
    if (url) urls[simulator] = url;
    if (Object.keys(urls).length === 3) break;
  }
  child.stdout.resume();
  return {
    child,
    exit,
    gateway: urls['payment-gateway']!,
    issuer: urls['token-issuer']!,
    traces: urls['traces']!,
  };
}

describe('the process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'leaves with 0 on %s although one request hangs and another one is slow',
    async (signal) => {
      const { gateway, child, exit } = await start();
      const switchOn = (faults: object) => {
        const headers = { 'content-type': 'application/json' };
        return fetch(`${gateway}/admin/faults`, { method: 'PATCH', headers, body: JSON.stringify(faults) });
      };
      const ask = () => {
        const headers = { authorization: 'Bearer gateway-development-key' };
        return fetch(`${gateway}/v1/charges/ch_1`, { headers }).then(
          ({ status }) => status,
          () => 'cut',
        );
      };
      const ledgerShows = async (text: string) => {
        while (!(await (await fetch(`${gateway}/admin/ledger`)).text()).includes(text));
      };
      await switchOn({ hangRate: 1 });
      const hung = ask();
      await ledgerShows('"hung":1');
      await switchOn({ hangRate: 0, latencyMs: 600_000 });
      const slow = ask();
      await ledgerShows('"inFlight":1');
      const asked = performance.now();
      child.kill(signal);
      expect(await exit).toEqual([0, null]);
      expect(performance.now() - asked).toBeLessThan(2000);
      expect(await hung).toBe('cut');
      expect(['cut', 503]).toContain(await slow);
    },
  );

  it('serves the gateway, the issuer and the traces', async () => {
    const { gateway, issuer, traces } = await start();
    for (const url of [gateway, issuer, traces]) expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(await (await fetch(issuer)).text()).toContain('FOR DEVELOPMENT ONLY');
  });

  it.each<Record<string, string>>([{ NODE_ENV: 'production' }, { GATEWAY_PORT: 'x', LOG_LEVEL: 'loud' }])(
    'refuses to start with %j, names every variable and leaves with 78',
    async (env) => {
      const { child, exit } = spawnMain(env);
      const said = (await child.stderr.toArray()).join('');
      for (const name of Object.keys(env)) expect(said).toContain(name);
      expect(await exit).toEqual([78, null]);
    },
  );
});
