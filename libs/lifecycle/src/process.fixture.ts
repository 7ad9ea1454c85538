/** A process for `process.spec.ts`: what it is to do is its first argument. */
import { runCommand } from './commands.ts';
import { Health } from './health.ts';
import { untilSignal } from './shutdown.ts';

const say = (word: string) => process.stdout.write(`${word}\n`);
const serve = async (close: () => Promise<void>, drainMs: number, deadlineMs: number) => {
  const health = new Health();
  health.started();
  // Something that would keep the process alive for ever, as a server does.
  setInterval(() => {}, 60_000);
  const left = untilSignal({
    health,
    drainMs,
    deadlineMs,
    close,
    onStep: (step) => say(`${step}, ${health.draining ? 'unready' : 'ready'}`),
  });
  say('up');
  await left;
};
const never = () => new Promise<void>(() => {});

await runCommand('fixture', {
  serve: { does: 'leaves in order', run: () => serve(async () => void say('close'), 50, 30_000) },
  slow: { does: 'drains for a minute', run: () => serve(async () => {}, 60_000, 90_000) },
  hang: { does: 'never closes', run: () => serve(never, 0, 100) },
  fail: { does: 'fails', run: () => Promise.reject(new Error('out of paper')) },
});
