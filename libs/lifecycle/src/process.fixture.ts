/** A process for `process.spec.ts`: what it is to do is its first argument. */
import { createServer } from 'node:http';
import { BackingServices } from './backing-services.ts';
import { runCommand } from './commands.ts';
import { Health } from './health.ts';
import { runService, type ServiceOptions } from './run-service.ts';

const say = (word: string) => process.stdout.write(`${word}\n`);
const never = () => new Promise<void>(() => {});

async function serve(options: Partial<ServiceOptions>, connect: () => unknown = () => {}) {
  const health = new Health();
  const server = createServer();
  const services = new BackingServices({ onWait: (name) => say(`waits for ${name}`) });
  services.attach('postgres', { connect, disconnect: () => say('disconnected') }).register(health);
  await runService({
    ...{ health, services, drainMs: 50 },
    listen: () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(Number(process.argv[3] ?? 0), '127.0.0.1', resolve);
      }),
    close: () => new Promise((resolve) => server.close(resolve)),
    onStep: (step, { open }) =>
      say(`(${step}) ${health.draining ? 'unready' : ''} ${open?.join() ?? ''}`.trim()),
    ...options,
  });
}

const refused = () => Promise.reject(new Error('connection refused'));

await runCommand('fixture', {
  serve: { does: 'leaves in order', run: () => serve({}) },
  slow: { does: 'drains for a minute', run: () => serve({ drainMs: 60_000, deadlineMs: 90_000 }) },
  hang: { does: 'never closes', run: () => serve({ drainMs: 0, deadlineMs: 100, close: never }) },
  late: { does: 'waits for a database', run: () => serve({}, refused) },
  stuck: { does: 'waits for a database that says nothing', run: () => serve({}, never) },
  some: { does: 'does a part of it', run: () => Promise.resolve(3) },
  fail: { does: 'fails', run: () => Promise.reject(new Error('out of paper')) },
});
